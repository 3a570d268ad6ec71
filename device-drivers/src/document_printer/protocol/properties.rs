//! The decoder against bytes that no printer should send.

use proptest::prelude::*;

use super::answer::decode;
use super::tests::answer;

fn attribute() -> impl Strategy<Value = Vec<u8>> {
    let names = prop::sample::select(vec![
        "printer-state",
        "printer-state-reasons",
        "copies-supported",
        "job-id",
        "job-state",
        "",
    ]);
    let value = prop::collection::vec(any::<u8>(), 0..24);
    (0x10_u8..=0x4A, names, value).prop_map(|(tag, name, value)| {
        let name = name.as_bytes();
        let length = |bytes: &[u8]| (bytes.len() as u16).to_be_bytes();
        [&[tag][..], &length(name), name, &length(&value), &value].concat()
    })
}

proptest! {
    #[test]
    fn nothing_panics(bytes in prop::collection::vec(any::<u8>(), 0..400), id in any::<i32>()) {
        let _ = decode(&bytes, id);
        let _ = decode(&answer(&bytes), 7);
    }

    #[test]
    fn well_formed_nonsense_does_not_panic(group in 1_u8..=5, attributes in prop::collection::vec(attribute(), 0..12)) {
        if let Ok(answer) = decode(&answer(&[&[group][..], &attributes.concat()].concat()), 7) {
            let _ = answer.printer().map(|printer| (printer.obstacle(), printer.reasons.attention()));
            prop_assert!(answer.jobs().count() <= 1);
        }
    }

    #[test]
    fn what_stands_behind_the_attributes_changes_nothing(rest in prop::collection::vec(any::<u8>(), 0..40)) {
        let whole = answer(&[]);
        prop_assert!(decode(&[whole, rest].concat(), 7).is_ok());
    }
}
