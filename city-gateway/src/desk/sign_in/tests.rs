//! The door on a real store, with a clock that the test turns.

use std::sync::atomic::{AtomicI64, Ordering};

use super::*;
use crate::desk::accounts;
use crate::desk::session::{IDLE_MS, LONGEST_MS};
use crate::store::desk::Role;
use crate::store::sqlite::{SqliteStore, WriterLimits};

const NOON: i64 = 1_800_000_000_000;

struct Hall {
    _folder: tempfile::TempDir,
    store: Arc<dyn DeskStore>,
    door: Door,
    now: Arc<AtomicI64>,
    password: Zeroizing<String>,
    secret: Vec<u8>,
}

impl Hall {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store: Arc<dyn DeskStore> =
            Arc::new(SqliteStore::open(&folder.path().join("state"), WriterLimits::default()).unwrap());
        let by = By { actor: "console".into(), address: String::new(), now_ms: NOON };
        let issued = accounts::add(&*store, &by, "wang", Role::Support.into()).await.unwrap();
        let secret = store.operator("wang").await.unwrap().unwrap().code_secret;
        let now = Arc::new(AtomicI64::new(NOON));
        let clock = { Arc::clone(&now) };
        let door = Door::new(Arc::clone(&store), Arc::new(move || clock.load(Ordering::SeqCst)));
        Self { _folder: folder, store, door, now, password: issued.password, secret }
    }

    fn wait(&self, ms: i64) {
        self.now.fetch_add(ms, Ordering::SeqCst);
    }

    fn code(&self, steps: i64) -> String {
        let step = self.now.load(Ordering::SeqCst) / totp::STEP_MS + steps;
        format!("{:06}", totp::code(&self.secret, step))
    }

    async fn enter(&self, code: &str) -> Result<String, Refused> {
        self.door.sign_in(" Wang ", self.password.clone(), code, from(1)).await
    }

    async fn inside(&self, token: &str) -> bool {
        self.door.signed(token, from(1)).await.unwrap().is_some()
    }

    async fn details(&self) -> Vec<(AuditAct, String, String)> {
        let lines = self.store.audit_after(0, 10_000).await.unwrap();
        lines.into_iter().map(|line| (line.entry.act, line.entry.actor, line.entry.detail)).collect()
    }
}

fn from(last: u8) -> IpAddr {
    IpAddr::from([10, 0, 0, last])
}

#[tokio::test]
async fn sessions_end_when_nobody_uses_them_and_after_a_day() {
    let hall = Hall::new().await;
    let token = hall.enter(&hall.code(0)).await.unwrap();
    hall.wait(IDLE_MS - 1);
    assert!(hall.inside(&token).await);
    // That use was noted, so another quarter of an hour begins.
    hall.wait(IDLE_MS - 1);
    assert!(hall.inside(&token).await);
    hall.wait(IDLE_MS);
    assert!(!hall.inside(&token).await);

    let token = hall.enter(&hall.code(0)).await.unwrap();
    let mut hours = 0;
    while hours < LONGEST_MS {
        assert!(hall.inside(&token).await, "after {hours} ms");
        hall.wait(IDLE_MS / 2);
        hours += IDLE_MS / 2;
    }
    assert!(!hall.inside(&token).await);
    assert!(!hall.inside(&random::token()).await);
}

#[tokio::test]
async fn codes_work_within_their_window_and_once() {
    let hall = Hall::new().await;
    assert_eq!(hall.enter(&hall.code(-2)).await, Err(Refused::Wrong));
    assert_eq!(hall.enter(&hall.code(2)).await, Err(Refused::Wrong));
    let code = hall.code(0);
    assert!(hall.enter(&code).await.is_ok());
    assert_eq!(hall.enter(&code).await, Err(Refused::Wrong));
    // One from before the last one is worth nothing either.
    assert_eq!(hall.enter(&hall.code(-1)).await, Err(Refused::Wrong));
    assert!(hall.enter(&hall.code(1)).await.is_ok());
    let details: Vec<_> = hall.details().await.into_iter().map(|(act, _, detail)| (act, detail)).collect();
    let failed = |why: &str| (AuditAct::SignInFailed, why.to_owned());
    let signed = (AuditAct::SignIn, String::new());
    let again = failed("code used before");
    assert_eq!(details[1..], [failed("code"), failed("code"), signed.clone(), again.clone(), again, signed]);
}

#[tokio::test]
async fn guessing_is_slow_and_leaves_lines_without_what_was_typed() {
    let hall = Hall::new().await;
    let guess = |name: &'static str, address| {
        hall.door.sign_in(name, Zeroizing::new("guess-guess".into()), "123456", from(address))
    };
    let mut waits = 0;
    for _ in 0..6 {
        match guess("wang", 1).await {
            Err(Refused::Wait(ms)) => {
                waits += 1;
                assert!(ms > 0);
            }
            other => assert_eq!(other, Err(Refused::Wrong)),
        }
    }
    assert_eq!(waits, 2);
    // The right password has to wait too, and then it is good.
    assert!(matches!(hall.enter(&hall.code(0)).await, Err(Refused::Wait(_))));
    hall.wait(60_000);
    assert!(hall.enter(&hall.code(0)).await.is_ok());
    assert_eq!(guess("my-own-password", 2).await, Err(Refused::Wrong));
    let lines = hall.details().await;
    assert_eq!(lines.iter().filter(|(act, ..)| *act == AuditAct::SignInFailed).count(), 5);
    assert_eq!(lines.last().unwrap(), &(AuditAct::SignInFailed, "-".into(), "no such account".into()));
    assert!(!format!("{lines:?}").contains("my-own"));
}

#[tokio::test]
async fn strangers_cannot_fill_the_chain() {
    let hall = Hall::new().await;
    for number in 0..3 * STRANGERS_A_MINUTE {
        hall.door.stranger(from(number as u8), NOON).await.unwrap();
    }
    assert_eq!(hall.details().await.len() as u32, 1 + STRANGERS_A_MINUTE);
    hall.door.stranger(from(1), NOON + 60_000).await.unwrap();
    assert_eq!(hall.details().await.len() as u32, 2 + STRANGERS_A_MINUTE);
}

#[tokio::test]
async fn a_disabled_account_is_told_what_everybody_is_told() {
    let hall = Hall::new().await;
    let token = hall.enter(&hall.code(0)).await.unwrap();
    let by = By { actor: "admin".into(), address: String::new(), now_ms: NOON };
    accounts::set_disabled(&*hall.store, &by, "wang", true).await.unwrap();
    assert!(!hall.inside(&token).await);
    assert_eq!(hall.enter(&hall.code(1)).await, Err(Refused::Wrong));
    accounts::set_disabled(&*hall.store, &by, "wang", false).await.unwrap();
    // The code was not used up while the account was disabled.
    assert!(hall.enter(&hall.code(1)).await.is_ok());
}
