//! Properties: ranges against a plain set, and no decoder ever panics.

use std::collections::BTreeSet;

use proptest::prelude::*;
use sync_protocol::ranges::RangeSet;
use sync_protocol::*;

proptest! {
    #[test]
    fn ranges_hold_exactly_what_was_put_in(spans in prop::collection::vec((0_u64..80, 0_u64..12), 0..24), out in 0_u64..90) {
        let mut set = RangeSet::new();
        let mut model = BTreeSet::new();
        for (first, length) in spans {
            set.insert_range(first, first + length);
            model.extend(first..=first + length);
        }
        set.remove(out);
        model.remove(&out);
        for at in 0..100 {
            prop_assert_eq!(set.contains(at), model.contains(&at));
        }
        prop_assert_eq!(set.len(), model.len() as u64);
        let missing: Vec<u64> = set.missing(95).collect();
        let expected: Vec<u64> = (1..=95).filter(|at| !model.contains(at)).collect();
        prop_assert_eq!(missing, expected);
        let reach = (1..).take_while(|at| model.contains(at)).count() as u64;
        prop_assert_eq!(set.contiguous(), reach);
        let spans = set.to_vec();
        prop_assert!(spans.windows(2).all(|pair| pair[0].1 + 1 < pair[1].0), "neither overlap nor touch");
        prop_assert_eq!(RangeSet::from(spans), set);
    }

    #[test]
    fn ranges_from_outside_in_any_order_are_understood(spans in prop::collection::vec(any::<(u64, u64)>(), 0..12), probe in any::<u64>()) {
        let set = RangeSet::from(spans.clone());
        let expected = spans.iter().any(|&(first, last)| first <= probe && probe <= last);
        prop_assert_eq!(set.contains(probe), expected);
        for &(first, last) in spans.iter().filter(|(first, last)| first <= last) {
            prop_assert!(set.contains(first) && set.contains(last));
        }
        prop_assert!(set.missing_ranges(u64::MAX).all(|(first, last)| first <= last));
    }

    #[test]
    fn decoders_do_not_panic_on_bytes(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let _ = SealedRecord::from_json(&bytes);
        let _ = Submission::from_plaintext(&bytes);
        let _ = Rating::from_plaintext(&bytes);
        let _ = TerminalPublicKey::from_spki_der(&bytes);
        let _ = TerminalPublicKey::from_sec1(&bytes);
        let _ = OPENER.with(|opener| opener.open(&bytes).is_err());
        if let Ok(text) = std::str::from_utf8(&bytes) {
            try_text(text);
        }
    }

    #[test]
    fn decoders_do_not_panic_on_text(text in "[a-zA-Z0-9_.{}\":,=+/-]{0,400}") {
        try_text(&text);
    }

    #[test]
    fn any_small_content_survives_the_seal(content in prop::collection::vec(any::<u8>(), 0..2000)) {
        let keys = SealKeyPair::generate();
        let sealed = AgeSealer::from_recipients(&keys.recipient).unwrap().seal(&content).unwrap();
        let opened = AgeOpener::from_identities(&keys.identity).unwrap().open(&sealed).unwrap();
        prop_assert_eq!(opened.as_slice(), content.as_slice());
    }
}

thread_local! {
    static OPENER: AgeOpener = AgeOpener::from_identities(&SealKeyPair::generate().identity).unwrap();
    static KEYS: (TerminalPublicKey, CityReceiptPublicKey) =
        (TerminalKey::generate().public(), CityReceiptKey::generate().public());
}

fn try_text(text: &str) {
    KEYS.with(|(terminal, city)| {
        assert!(Manifest::verify(text, terminal).is_err());
        assert!(Receipt::verify(text, city).is_err());
        assert!(HelloAnswer::verify(text, city).is_err());
    });
    let _ = Manifest::unverified(text);
    let _ = TerminalKey::from_pem(text);
    let _ = CityReceiptKey::from_pem(text);
    let _ = CityReceiptPublicKey::from_pem(text);
    let _ = AgeSealer::from_recipients(text);
    let _ = AgeOpener::from_identities(text);
}

#[test]
fn the_ends_of_the_number_line_hold() {
    let all = RangeSet::from(vec![(0, u64::MAX)]);
    assert!(all.contains(0) && all.contains(u64::MAX));
    assert_eq!(all.missing(u64::MAX).next(), None);
    assert_eq!(all.len(), u64::MAX);
    let mut set = RangeSet::from(vec![(u64::MAX, u64::MAX), (5, 3)]);
    set.insert(0);
    assert_eq!(set.to_vec(), vec![(0, 0), (u64::MAX, u64::MAX)]);
    assert_eq!(set.missing_ranges(u64::MAX).collect::<Vec<_>>(), vec![(1, u64::MAX - 1)]);
    assert_eq!(RangeSet::new().missing_ranges(0).next(), None);
}
