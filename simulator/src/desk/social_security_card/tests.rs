//! What the true driver meets in the slot.

use device_drivers::social_security_card::{
    PcscCardReader, SocialSecurityCardError as CardError, SocialSecurityCardReader,
};

use super::*;
use crate::desk::{Desk, DeskOptions};

fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !condition() {
        assert!(Instant::now() < deadline, "waited too long until {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn every_card_fits_its_chip_and_names_somebody_of_the_desk() {
    for card in CARDS {
        assert!(virtual_card(card).is_ok(), "{}", card.id);
        let written = written_on(card);
        assert!(written.number.starts_with("990001") && written.number[6..14] == written.birth);
    }
    assert_eq!(written_on(CARDS[1]).name, "沈䶮");
}

/// The library reads its environment once, when the process starts: the driver runs in a second process of this program.
#[test]
fn a_card_that_is_put_in_is_read_through_the_desks_own_pcscd() {
    const FOLDER: &str = "KIOSK_TEST_DESK";
    const PASSED: &str = "passed";
    if let Some(folder) = std::env::var_os(FOLDER).map(std::path::PathBuf::from) {
        social_cards(&folder);
        std::fs::write(folder.join(PASSED), "").unwrap();
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut second = std::process::Command::new(std::env::current_exe().unwrap());
    let test = "desk::social_security_card::tests::a_card_that_is_put_in_is_read_through_the_desks_own_pcscd";
    second.args(["--exact", test, "--nocapture"]).env(FOLDER, folder.path());
    second.env("PCSCLITE_CSOCK_NAME", folder.path().join("pcscd/pcscd.comm"));
    assert!(second.status().unwrap().success() && folder.path().join(PASSED).exists(), "see above");
}

fn social_cards(folder: &Path) {
    let desk = Desk::set_up(folder, DeskOptions::default()).unwrap();
    for (name, value) in desk.environment() {
        assert_eq!(std::env::var_os(name), Some(value), "what the kiosk is told");
    }
    let reader = |wanted: Value| desk.change("social-security-card-reader", &wanted).unwrap();
    let now = || desk.device("social-security-card-reader").unwrap().now().clone();
    let declared = desk.declared();
    let name = declared["social_security_card_reader"]["reader"].as_str().unwrap();
    let mut driver = PcscCardReader::new(name);
    let card = |driver: &mut PcscCardReader, there: bool| {
        until(&format!("a card is in: {there}"), || driver.is_card_in() == Ok(there));
    };
    card(&mut driver, false);
    reader(json!({ "inserted": "rare-name" }));
    card(&mut driver, true);
    assert_eq!(driver.read().unwrap().name, "沈䶮");
    for (id, error) in [
        ("locked", CardError::Locked),
        ("another-card", CardError::NotASocialSecurityCard),
        ("wrong-way", CardError::Mute),
    ] {
        reader(json!({ "inserted": id }));
        card(&mut driver, false);
        card(&mut driver, true);
        assert_eq!(driver.read().unwrap_err(), error, "{id}");
    }
    reader(json!({ "inserted": null, "fault": "pull-mid-read" }));
    card(&mut driver, false);
    reader(json!({ "inserted": "elder" }));
    card(&mut driver, true);
    assert_eq!(driver.read().unwrap_err(), CardError::Pulled);
    assert_eq!(now()["inserted"], Value::Null, "the fault has pulled it");
    for (fault, error) in [("garbage", CardError::Damaged), ("status", CardError::Refused(0x6581))] {
        reader(json!({ "inserted": null, "fault": fault }));
        card(&mut driver, false);
        reader(json!({ "inserted": "elder" }));
        card(&mut driver, true);
        assert_eq!(driver.read().unwrap_err(), error, "{fault}");
    }
    reader(json!({ "fault": null, "plugged": false }));
    assert_eq!(driver.is_card_in(), Err(CardError::Gone));
    assert_eq!((&now()["plugged"], &now()["inserted"]), (&json!(false), &json!("elder")));
    reader(json!({ "plugged": true }));
    card(&mut driver, true);
    assert_eq!(driver.read().unwrap().name, "何润添", "it was in all the time");
}
