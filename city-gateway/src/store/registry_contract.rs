//! What every register of terminals must do, whatever database is behind it. A register joins by implementing
//! [`RegistryBed`] and naming itself in [`registry_contract_suite!`].

use std::sync::Arc;

use super::registry::*;

/// A database of its own for one test. Opening it again opens the same one.
pub trait RegistryBed {
    /// Opens the register.
    fn open_registry(&self) -> impl Future<Output = Arc<dyn TerminalRegistry>>;
}

/// A certificate with everything told apart by `name`; its key too.
pub fn certificate(terminal: &str, name: &str, listed_at_ms: i64) -> NewCertificate {
    NewCertificate {
        terminal: terminal.into(),
        fingerprint: format!("fingerprint of {name}"),
        public_key: format!("key of {name}").into_bytes(),
        not_before_ms: listed_at_ms,
        not_after_ms: listed_at_ms + 1_000,
        listed_at_ms,
        certificate: format!("certificate of {name}").into_bytes(),
    }
}

fn voucher(hash: &str, terminal: &str) -> NewVoucher {
    NewVoucher { hash: hash.into(), terminal: terminal.into(), issued_at_ms: 10, expires_at_ms: 100 }
}

fn used(name: &str, again: bool) -> VoucherAnswer {
    VoucherAnswer::Used { certificate: format!("certificate of {name}").into_bytes(), again }
}

async fn enrolled(registry: &dyn TerminalRegistry, terminal: &str, name: &str) {
    registry.add_voucher(voucher(name, terminal)).await.unwrap();
    let answer = registry.redeem(name.into(), certificate(terminal, name, 20)).await.unwrap();
    assert_eq!(answer, used(name, false));
}

async fn event_words(registry: &dyn TerminalRegistry) -> Vec<String> {
    registry.events(0, 100).await.unwrap().into_iter().map(|event| event.event).collect()
}

/// A voucher works once; for the same key it gives the same certificate until it ends, for another one nothing.
pub async fn a_voucher_works_once(bed: impl RegistryBed) {
    let registry = bed.open_registry().await;
    assert_eq!(registry.voucher("v", b"key of a", 20).await.unwrap(), VoucherAnswer::Unknown);
    registry.add_voucher(voucher("v", "DG0001")).await.unwrap();
    assert_eq!(registry.voucher("v", b"key of a", 20).await.unwrap(), VoucherAnswer::Good);
    assert_eq!(registry.voucher("v", b"key of a", 100).await.unwrap(), VoucherAnswer::Expired);
    let late = registry.redeem("v".into(), certificate("DG0001", "a", 100)).await.unwrap();
    assert_eq!(late, VoucherAnswer::Expired);
    assert_eq!(registry.standing("DG0001", "fingerprint of a").await.unwrap(), Standing::Unlisted);

    let first = registry.redeem("v".into(), certificate("DG0001", "a", 20)).await.unwrap();
    assert_eq!(first, used("a", false));
    let mut again = certificate("DG0001", "second thought", 30);
    again.public_key = b"key of a".to_vec();
    assert_eq!(registry.redeem("v".into(), again).await.unwrap(), used("a", true));
    assert_eq!(registry.voucher("v", b"key of a", 99).await.unwrap(), used("a", true));
    assert_eq!(registry.voucher("v", b"key of a", 100).await.unwrap(), VoucherAnswer::Expired);
    let other = registry.redeem("v".into(), certificate("DG0001", "b", 30)).await.unwrap();
    assert_eq!(other, VoucherAnswer::OtherKey);
    assert_eq!(registry.voucher("v", b"key of b", 200).await.unwrap(), VoucherAnswer::OtherKey);
    assert_eq!(registry.standing("DG0001", "fingerprint of a").await.unwrap(), Standing::Listed);
    // What was not given out is not listed, and a fingerprint is worth something for its own terminal only.
    for (terminal, name) in [("DG0001", "b"), ("DG0001", "second thought"), ("DG0002", "a")] {
        let standing = registry.standing(terminal, &format!("fingerprint of {name}")).await.unwrap();
        assert_eq!(standing, Standing::Unlisted);
    }
    assert_eq!(event_words(&*registry).await, ["voucher_issued", "enrolled"]);
}

/// Whoever races for one voucher, one key wins.
pub async fn racing_for_a_voucher_one_key_wins(bed: impl RegistryBed) {
    let registry = bed.open_registry().await;
    registry.add_voucher(voucher("v", "DG0001")).await.unwrap();
    let mut racing = tokio::task::JoinSet::new();
    for rival in 0..16 {
        let registry = Arc::clone(&registry);
        let wanted = certificate("DG0001", &format!("{rival}"), 20);
        racing.spawn(async move { registry.redeem("v".into(), wanted).await.unwrap() });
    }
    let answers = racing.join_all().await;
    let won = answers.iter().filter(|answer| matches!(answer, VoucherAnswer::Used { again: false, .. }));
    assert_eq!(won.count(), 1);
    assert_eq!(answers.iter().filter(|answer| **answer == VoucherAnswer::OtherKey).count(), 15);
}

/// Only the newest voucher of a terminal is worth something, and none after the terminal was revoked.
pub async fn vouchers_are_withdrawn(bed: impl RegistryBed) {
    let registry = bed.open_registry().await;
    for hash in ["old", "new"] {
        registry.add_voucher(voucher(hash, "DG0001")).await.unwrap();
    }
    registry.add_voucher(voucher("other", "DG0002")).await.unwrap();
    let worth = async |hash| registry.voucher(hash, b"k", 20).await.unwrap();
    assert_eq!(worth("old").await, VoucherAnswer::Unknown);
    assert_eq!((worth("new").await, worth("other").await), (VoucherAnswer::Good, VoucherAnswer::Good));
    registry.list(certificate("DG0001", "a", 20)).await.unwrap();
    assert!(registry.set_state("DG0001", TerminalState::Revoked, 30).await.unwrap());
    assert_eq!((worth("new").await, worth("other").await), (VoucherAnswer::Unknown, VoucherAnswer::Good));
}

/// Revoking is seen at once, can be taken back, and a new enrolment does not bring former certificates back.
pub async fn revoking_holds_for_what_was(bed: impl RegistryBed) {
    let registry = bed.open_registry().await;
    assert!(!registry.set_state("DG0001", TerminalState::Revoked, 5).await.unwrap());
    enrolled(&*registry, "DG0001", "a").await;
    enrolled(&*registry, "DG0002", "z").await;
    let standing =
        async |name: &str| registry.standing("DG0001", &format!("fingerprint of {name}")).await.unwrap();
    for (state, expected) in
        [(TerminalState::Revoked, Standing::Revoked), (TerminalState::Active, Standing::Listed)]
    {
        assert!(registry.set_state("DG0001", state, 30).await.unwrap());
        // Doing it twice is no second event.
        assert!(registry.set_state("DG0001", state, 31).await.unwrap());
        assert_eq!(standing("a").await, expected);
    }
    registry.set_state("DG0001", TerminalState::Revoked, 40).await.unwrap();
    // Of a revoked terminal, even an unknown certificate is revoked.
    assert_eq!(standing("never seen").await, Standing::Revoked);
    enrolled(&*registry, "DG0001", "b").await;
    assert_eq!((standing("a").await, standing("b").await), (Standing::Revoked, Standing::Listed));
    assert!(registry.revoke_certificate("fingerprint of b", 50).await.unwrap());
    assert!(!registry.revoke_certificate("fingerprint of nobody", 50).await.unwrap());
    assert_eq!(standing("b").await, Standing::Revoked);
    assert_eq!(registry.standing("DG0002", "fingerprint of z").await.unwrap(), Standing::Listed);
    let keys = registry.keys("DG0001").await.unwrap();
    assert_eq!(keys.len(), 2);
    assert!(keys.iter().all(|key| key.revoked));
    let words = event_words(&*registry).await;
    let ends = ["revoked", "reinstated", "revoked", "voucher_issued", "enrolled", "certificate_revoked"];
    assert_eq!(words[4..], ends);
}

/// A renewal needs a listed certificate; the same key again gets the same one.
pub async fn renewals_are_idempotent(bed: impl RegistryBed) {
    let registry = bed.open_registry().await;
    enrolled(&*registry, "DG0001", "a").await;
    let same_key = |name: &str, at_ms| {
        let mut wanted = certificate("DG0001", name, at_ms);
        wanted.public_key = b"key of a".to_vec();
        wanted
    };
    let renewed = |name: &str, again| RenewalAnswer::Renewed {
        certificate: format!("certificate of {name}").into_bytes(),
        again,
    };
    let presented = || "fingerprint of a".to_owned();
    let first = registry.renew(presented(), same_key("a2", 100), 0).await.unwrap();
    assert_eq!(first, renewed("a2", false));
    assert_eq!(registry.renew(presented(), same_key("a3", 110), 60).await.unwrap(), renewed("a2", true));
    assert_eq!(registry.standing("DG0001", "fingerprint of a3").await.unwrap(), Standing::Unlisted);
    // Long after, or for another key, it is another renewal.
    assert_eq!(registry.renew(presented(), same_key("a4", 900), 101).await.unwrap(), renewed("a4", false));
    let other = registry.renew(presented(), certificate("DG0001", "b", 910), 0).await.unwrap();
    assert_eq!(other, renewed("b", false));
    for (terminal, fingerprint) in [("DG0001", "fingerprint of nobody"), ("DG0002", "fingerprint of a")] {
        let wanted = certificate(terminal, "c", 920);
        let answer = registry.renew(fingerprint.into(), wanted, 0).await.unwrap();
        assert_eq!(answer, RenewalAnswer::Refused(Standing::Unlisted));
    }
    registry.set_state("DG0001", TerminalState::Revoked, 930).await.unwrap();
    let answer = registry.renew(presented(), certificate("DG0001", "d", 940), 0).await.unwrap();
    assert_eq!(answer, RenewalAnswer::Refused(Standing::Revoked));
    let keys = registry.keys("DG0001").await.unwrap();
    assert_eq!(keys[0].public_key, b"key of b");
}

/// First sight adds what is unknown and changes nothing that is known.
pub async fn first_sight_changes_nothing_known(bed: impl RegistryBed) {
    let registry = bed.open_registry().await;
    registry.list(certificate("DG0001", "a", 20)).await.unwrap();
    assert_eq!(registry.standing("DG0001", "fingerprint of a").await.unwrap(), Standing::Listed);
    registry.set_state("DG0001", TerminalState::Revoked, 30).await.unwrap();
    registry.list(certificate("DG0001", "a", 40)).await.unwrap();
    assert_eq!(registry.standing("DG0001", "fingerprint of a").await.unwrap(), Standing::Revoked);
    registry.note_other_key("DG0001", 50).await.unwrap();
    assert_eq!(event_words(&*registry).await, ["first_sight", "revoked", "voucher_other_key"]);
}

/// Pages of terminals and of events hold everything once, also after opening again.
pub async fn the_list_is_told_in_pages(bed: impl RegistryBed) {
    let registry = bed.open_registry().await;
    for (terminal, name) in [("DG0003", "c"), ("DG0001", "a"), ("DG0002", "b")] {
        registry.list(certificate(terminal, name, 20)).await.unwrap();
    }
    drop(registry);
    let registry = bed.open_registry().await;
    let page = registry.terminals("", 2).await.unwrap();
    let expected = |code: &str| TerminalRow {
        code: code.into(),
        state: TerminalState::Active,
        since_ms: 20,
        not_after_ms: Some(1_020),
    };
    assert_eq!(page, [expected("DG0001"), expected("DG0002")]);
    assert_eq!(registry.terminals("DG0002", 2).await.unwrap(), [expected("DG0003")]);
    let events = registry.events(0, 2).await.unwrap();
    assert_eq!(events.len(), 2);
    assert_eq!(registry.events(events[1].id, 9).await.unwrap().len(), 1);
}

/// One test for each promise.
macro_rules! registry_contract_suite {
    ($bed:expr) => {
        $crate::store::registry_contract::registry_contract_suite!($bed;
            a_voucher_works_once racing_for_a_voucher_one_key_wins vouchers_are_withdrawn
            revoking_holds_for_what_was renewals_are_idempotent first_sight_changes_nothing_known
            the_list_is_told_in_pages);
    };
    ($bed:expr; $($promise:ident)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $promise() {
            $crate::store::registry_contract::$promise($bed).await;
        }
    )*};
}
pub(crate) use registry_contract_suite;
