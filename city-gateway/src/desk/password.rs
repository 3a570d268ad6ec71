//! Passwords: Argon2id, with memory that makes guessing dear. The work is bounded, because a stranger may ask for it.

use std::sync::LazyLock;

use argon2::{Argon2, Params, PasswordHasher, PasswordVerifier};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use super::random;

/// 64 MiB, two passes, one lane: above the recommendation of RFC 9106 for machines with little memory.
const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 2;

/// Hashes under way at once. More wait; the queue is bounded by the connections there may be.
static PLACES: Semaphore = Semaphore::const_new(2);

/// What is checked when there is no account, so that the answer takes as long.
static NOBODY: LazyLock<String> = LazyLock::new(|| hash_now(random::password().as_bytes()));

/// Shortest and longest password, in characters.
pub(crate) const SHORTEST: usize = 12;
pub(crate) const LONGEST: usize = 128;

/// Why a new password is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weak {
    Short,
    Long,
    /// Holds the account's name, or hardly anything at all.
    Obvious,
}

/// Whether a password may be used.
pub(crate) fn check(password: &str, name: &str) -> Result<(), Weak> {
    let count = password.chars().count();
    if count < SHORTEST {
        return Err(Weak::Short);
    }
    if count > LONGEST {
        return Err(Weak::Long);
    }
    let mut different: Vec<char> = password.to_lowercase().chars().collect();
    different.sort_unstable();
    different.dedup();
    if different.len() < 6 || password.to_lowercase().contains(name) {
        return Err(Weak::Obvious);
    }
    Ok(())
}

fn argon2() -> Argon2<'static> {
    Params::new(MEMORY_KIB, PASSES, 1, None).expect("the parameters are within Argon2's bounds").into()
}

fn hash_now(password: &[u8]) -> String {
    argon2()
        .hash_password_with_salt(password, &random::bytes::<16>())
        .expect("a salt of 16 bytes and these parameters always give a hash")
        .to_string()
}

/// Hashes a password where it may take its time.
pub(crate) async fn hash(password: Zeroizing<String>) -> String {
    let _place = PLACES.acquire().await.expect("the semaphore is never closed");
    tokio::task::spawn_blocking(move || hash_now(password.as_bytes())).await.expect("hashing does not panic")
}

/// Whether a password belongs to a hash. Without a hash the answer is no, after the same work.
pub(crate) async fn verify(password: Zeroizing<String>, hash: Option<String>) -> bool {
    let _place = PLACES.acquire().await.expect("the semaphore is never closed");
    let check = move || {
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| NOBODY.clone());
        argon2().verify_password(password.as_bytes(), hash.as_str()).is_ok() && known
    };
    tokio::task::spawn_blocking(check).await.unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_right_password_and_no_other() {
        let stored = hash(Zeroizing::new("six plain words".into())).await;
        assert!(stored.starts_with("$argon2id$v=19$m=65536,t=2,p=1$"), "{stored}");
        assert!(verify(Zeroizing::new("six plain words".into()), Some(stored.clone())).await);
        assert!(!verify(Zeroizing::new("six plain word".into()), Some(stored)).await);
        assert!(!verify(Zeroizing::new("six plain words".into()), None).await);
        assert!(!verify(Zeroizing::new("x".into()), Some("not a hash".into())).await);
    }

    #[test]
    fn weak_passwords_are_refused() {
        assert_eq!(check("short", "wang"), Err(Weak::Short));
        assert_eq!(check("aaaaaaaaaaaaaaaa", "wang"), Err(Weak::Obvious));
        assert_eq!(check("my-WANG-password", "wang"), Err(Weak::Obvious));
        assert_eq!(check(&"长密码一二三".repeat(30), "wang"), Err(Weak::Long));
        assert_eq!(check("今天天气真好我们去松山湖走走", "wang"), Ok(()));
        assert_eq!(check(&random::password(), "wang"), Ok(()));
    }
}
