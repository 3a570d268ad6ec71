//! The hands at the desk, and what the true drivers meet behind its ports.

use std::time::{Duration, Instant};

use device_drivers::cabinet::{
    CabinetDoor, DoorState, IndicatorLight, LightPattern, Presence, PresenceSensor,
};
use device_drivers::cabinet_board::{CabinetBoard, LightSettings};
use device_drivers::camera::protocol::keep::encode;
use device_drivers::camera::simulator::{card, paper};
use device_drivers::camera::{Camera, CameraError, Judge, Judgement, Shape, SocketCamera};
use device_drivers::code_scanner::{CodeScanner, ScanEnd, ScannerError, SerialCodeScanner};
use device_drivers::id_card_reader::{CardText, IdCardReader, ReaderError, SerialIdCardReader};
use device_drivers::receipt_printer::{
    Bitmap, Connection, EscPosPrinter, PrinterModel, Receipt, ReceiptPrinter,
};
use device_drivers::ups::{NutUps, PowerState, Ups, UpsError};

use super::*;

struct Set {
    desk: Desk,
    folder: tempfile::TempDir,
}

fn set_up() -> Set {
    let folder = tempfile::tempdir().unwrap();
    Set { desk: Desk::set_up(folder.path(), DeskOptions::default()).unwrap(), folder }
}

impl Set {
    fn port(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn change(&self, device: &str, wanted: Value) {
        self.desk.change(device, &wanted).unwrap();
    }

    fn now(&self, device: &str) -> Value {
        self.desk.device(device).unwrap().now().clone()
    }
}

fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !condition() {
        assert!(Instant::now() < deadline, "waited too long until {what}");
    }
}

#[test]
fn a_laid_card_is_read_through_the_port_and_a_pulled_one_is_not() {
    let set = set_up();
    let mut driver = SerialIdCardReader::open(set.port("id-card-reader"), BAUD).unwrap();
    let reader = |wanted| set.change("id-card-reader", wanted);
    reader(json!({ "card": "rare-name" }));
    let read = driver.read().unwrap();
    let CardText::Mainland(card) = &read.text else { panic!("another layout") };
    assert_eq!(card.name, "𬱖㛃");
    assert_eq!(set.now("id-card-reader")["card"], "rare-name");
    assert_eq!(set.desk.device("id-card-reader").unwrap().shows()["reads"], 1);

    reader(json!({ "fault": "pull-mid-read", "card": "ordinary" }));
    assert_eq!(
        driver.read().unwrap_err(),
        ReaderError::NoCard,
        "a hand takes one off before it lays the other"
    );
    assert_eq!(driver.read().unwrap_err(), ReaderError::CardMoved);
    assert_eq!(set.now("id-card-reader")["card"], Value::Null, "the fault has pulled it");
    reader(json!({ "fault": null, "plugged": false }));
    assert_eq!(driver.read().unwrap_err(), ReaderError::Gone);
    reader(json!({ "plugged": true, "card": "elder" }));
    assert_eq!(driver.read().unwrap().text.name(), "何润添");
}

#[test]
fn a_print_shows_on_the_strip_and_paper_out_is_seen() {
    let set = set_up();
    let connection = Connection::Usb { device: set.port("receipt-printer") };
    let mut driver = EscPosPrinter::open(&connection, PrinterModel::named("80mm").unwrap()).unwrap();
    let mut picture = Bitmap::blank(576, 40);
    picture.set_black(3, 7);
    let picture = Receipt::from(picture);
    driver.print(&picture).unwrap();
    let receipts = set.desk.receipts();
    assert_eq!(receipts.len(), 1);
    assert!(receipts[0].complete && receipts[0].cut && receipts[0].height >= 40);
    assert!(set.desk.receipt_png(receipts[0].id).unwrap().unwrap().starts_with(b"\x89PNG"));
    assert!(set.desk.receipt_png(999).is_none());
    set.change("receipt-printer", json!({ "paper": false }));
    assert!(driver.print(&picture).is_err());
    assert_eq!(set.desk.receipts().len(), 1);

    // The roll ends by itself at a row, and then the fault is over.
    let ends = json!({ "name": "paper-ends", "number": 7 });
    set.change("receipt-printer", json!({ "fault": ends }));
    assert_eq!(set.now("receipt-printer")["fault"], ends);
    assert_eq!(set.now("receipt-printer")["paper"], true);
    assert!(driver.print(&picture).is_err());
    assert_eq!(set.desk.receipts()[1].height, 7);
    let now = set.now("receipt-printer");
    assert_eq!((&now["fault"], &now["paper"]), (&Value::Null, &json!(false)));

    // One that has not ended is taken away with its fault.
    set.change("receipt-printer", json!({ "fault": "paper-ends" }));
    set.change("receipt-printer", json!({ "fault": null }));
    driver.print(&Bitmap::blank(576, 300).into()).unwrap();

    // A cutter that jams stays jammed until somebody clears it.
    set.change("receipt-printer", json!({ "fault": "jam-at-cut" }));
    assert!(driver.print(&picture).is_err());
    assert_eq!(set.now("receipt-printer")["fault"], json!({ "name": "cutter-jam" }));
    set.change("receipt-printer", json!({ "fault": null }));
    driver.print(&picture).unwrap();

    set.change("receipt-printer", json!({ "fault": { "name": "unplug", "number": 20 } }));
    assert!(driver.print(&picture).is_err());
    let now = set.now("receipt-printer");
    assert_eq!((&now["fault"], &now["plugged"]), (&Value::Null, &json!(false)));
    set.change("receipt-printer", json!({ "plugged": true }));
    driver.print(&picture).unwrap();
}

#[test]
fn the_cabinet_feels_somebody_and_doors_and_shows_its_lights() {
    let set = set_up();
    let board = CabinetBoard::new(set.port("cabinet-board"), BAUD);
    let (mut sensor, mut door) = (board.presence_sensor(), board.door(1));
    let cabinet = |wanted| set.change("cabinet", wanted);
    until("who looks at the demo stands before it", || sensor.presence() == Ok(Presence::Near));
    cabinet(json!({ "near": false, "door_2_open": true }));
    until("nobody is there", || sensor.presence() == Ok(Presence::Far));
    until("the door is open", || door.look().unwrap().state == DoorState::Open);
    assert_eq!(set.now("cabinet")["door_1_open"], false);

    let lights = || set.desk.device("cabinet").unwrap().shows()["lights"].clone();
    board.light(2, LightSettings::default()).show(LightPattern::Fast).unwrap();
    assert_eq!(lights(), json!({ "card": "off", "receipt": "off", "help": "fast" }));
    cabinet(json!({ "restart": true }));
    assert_eq!(lights()["help"], "off");

    cabinet(json!({ "fault": "sensor" }));
    assert!(sensor.presence().is_err());
    cabinet(json!({ "fault": "silent" }));
    assert!(sensor.presence().is_err());
    cabinet(json!({ "fault": null, "plugged": false }));
    assert!(sensor.presence().is_err());
    cabinet(json!({ "plugged": true }));
    assert!(sensor.presence().is_ok());
}

#[test]
fn the_ups_falls_back_on_its_battery_and_its_server_goes_and_comes() {
    let set = set_up();
    let address = set.desk.declared()["ups"]["server"].as_str().unwrap().parse().unwrap();
    let mut ups = NutUps::new(address, "kiosk".parse().unwrap());
    assert_eq!(ups.look().unwrap().power, PowerState::OnLine);
    for (power, state) in [("battery", PowerState::OnBattery), ("low-battery", PowerState::LowBattery)] {
        set.change("ups", json!({ "power": power }));
        assert_eq!(ups.look().unwrap().power, state);
    }
    set.change("ups", json!({ "fault": "stale" }));
    assert_eq!(ups.look(), Err(UpsError::Away));
    set.change("ups", json!({ "plugged": false, "fault": null }));
    assert_eq!(ups.look(), Err(UpsError::Gone));
    set.change("ups", json!({ "plugged": true }));
    assert_eq!(ups.look().unwrap().power, PowerState::LowBattery, "on the same port, as it was");
}

#[test]
fn a_code_that_is_held_before_the_scanner_comes_through_its_port() {
    let set = set_up();
    let mut driver = SerialCodeScanner::new(set.port("code-scanner"), BAUD, ScanEnd::Suffix);
    driver.set_silence(Duration::from_secs(1));
    driver.clear().unwrap();
    let scanner = |wanted| set.change("code-scanner", wanted);
    let next = |driver: &mut SerialCodeScanner| {
        let code = driver.next_code(Instant::now() + Duration::from_secs(10))?;
        Ok::<_, ScannerError>(code.expect("a code comes").as_str().to_owned())
    };
    scanner(json!({ "scan_text": "随便什么 123" }));
    assert_eq!(next(&mut driver).unwrap(), "随便什么 123");
    scanner(json!({ "scan_insurance": true }));
    assert!(next(&mut driver).unwrap().starts_with("424"));
    scanner(json!({ "fault": { "name": "breaks-off", "number": 4 } }));
    scanner(json!({ "scan_text": "ABCDEFGH" }));
    assert_eq!(next(&mut driver), Err(ScannerError::Incomplete));
    scanner(json!({ "fault": "noise" }));
    scanner(json!({ "scan_text": "ABCDEFGH" }));
    assert_eq!(next(&mut driver), Err(ScannerError::NotText));
    assert_eq!(set.desk.device("code-scanner").unwrap().shows()["scans"], 4);

    let error = set.desk.change("code-scanner", &json!({ "scan_receipt": true })).unwrap_err().to_string();
    assert!(error.contains("no receipt with a code yet"), "{error}");
    scanner(json!({ "fault": null, "plugged": false }));
    assert_eq!(next(&mut driver), Err(ScannerError::Gone));
    scanner(json!({ "scan_text": "WITHOUT-POWER" }));
    scanner(json!({ "plugged": true }));
    driver.clear().unwrap();
    scanner(json!({ "scan_text": "WITH-POWER" }));
    assert_eq!(next(&mut driver).unwrap(), "WITH-POWER");
}

#[test]
fn what_lies_under_the_camera_is_what_its_driver_sees() {
    let set = set_up();
    let camera = |wanted| set.change("document-camera", wanted);
    let mut driver = Camera::new(SocketCamera::new(set.port("document-camera")));
    let mut judge = Judge::default();
    for (wanted, judgement) in [
        (json!({ "picture": null }), Judgement::NothingThere),
        (json!({ "picture": "form" }), Judgement::Good),
        (json!({ "fault": "dark" }), Judgement::TooDark),
        (json!({ "fault": "blurred" }), Judgement::Blurred),
        (json!({ "fault": null, "picture": "glare" }), Judgement::Glare),
        (json!({ "picture": "crooked" }), Judgement::Good),
    ] {
        camera(wanted);
        until(&format!("{judgement:?}"), || {
            driver.picture().is_ok_and(|picture| judge.look(&picture).judgement == judgement)
        });
    }
    let mut lies = |wanted: Shape| {
        until(&format!("{wanted:?}"), || {
            let look = driver.picture().map(|picture| judge.look(&picture));
            look.is_ok_and(|look| look.sheet.is_some_and(|sheet| sheet.shape == wanted))
        });
    };
    camera(json!({ "picture": "card" }));
    lies(Shape::Card);
    set.desk.lay_picture(encode(&paper(600), 90).unwrap().jpeg.to_vec()).unwrap();
    lies(Shape::Paper);
    assert_eq!(set.now("document-camera")["picture"], "own");
    // A visitor's own camera is not drawn: its frames are handed on as they are.
    let frame = encode(&card(640), 90).unwrap().jpeg.to_vec();
    set.desk.relay_frame(frame.clone()).unwrap();
    assert_eq!(set.now("document-camera")["picture"], "webcam");
    until("the visitor's frame", || {
        set.desk.relay_frame(frame.clone()).unwrap();
        driver.picture().is_ok_and(|picture| picture.width() == 640)
    });
    assert!(set.desk.lay_picture(b"no picture".to_vec()).unwrap_err().to_string().contains("no picture"));
    assert!(set.desk.camera_png().unwrap().starts_with(b"\x89PNG"));

    camera(json!({ "picture": "form", "fault": "frozen" }));
    until("it stands still", || driver.picture() == Err(CameraError::Stuck));
    camera(json!({ "fault": null, "plugged": false }));
    until("it is gone", || driver.picture() == Err(CameraError::Gone));
    camera(json!({ "plugged": true }));
    until("it is back", || driver.picture().is_ok());
}

#[test]
fn what_a_device_says_of_itself_can_be_given_back() {
    let set = set_up();
    for device in set.desk.devices() {
        set.change(device.name(), device.now().clone());
        assert_eq!(set.now(device.name()), *device.now());
    }
}

/// Every fault that a device names can be chosen, with its usual number and with the ends of its range.
#[test]
fn every_named_fault_can_be_chosen_and_undone() {
    let set = set_up();
    for device in set.desk.devices() {
        let view = json!(device);
        for kind in view["faults"].as_array().unwrap() {
            let name = &kind["name"];
            set.change(device.name(), json!({ "fault": name }));
            assert_eq!(set.now(device.name())["fault"]["name"], *name);
            for end in ["least", "most"].iter().filter_map(|end| kind["number"].get(*end)) {
                let fault = json!({ "name": name, "number": end });
                set.change(device.name(), json!({ "fault": fault }));
                assert_eq!(set.now(device.name())["fault"], fault);
            }
        }
        set.change(device.name(), json!({ "fault": null }));
        assert_eq!(set.now(device.name())["fault"], Value::Null);
    }
}

#[test]
fn what_makes_no_sense_does_nothing_and_says_what_is_known() {
    let set = set_up();
    let before = set.desk.devices();
    for (device, wanted, words) in [
        ("toaster", json!({}), "there are: id-card-reader, receipt-printer, "),
        ("ups", json!([]), "is an object"),
        ("ups", json!({ "plugged": "yes" }), "\"plugged\" of the ups is true or false"),
        ("ups", json!({ "plugged": false, "door": true }), "has no \"door\"; it has: plugged, fault, power"),
        ("ups", json!({ "power": "sun" }), "one of mains, battery, low-battery"),
        ("ups", json!({ "power": null }), "one of mains"),
        ("id-card-reader", json!({ "card": "stranger" }), "null or one of ordinary, rare-name"),
        ("cabinet", json!({ "restart": false }), "true: it happens once"),
        ("ups", json!({ "fault": "flood" }), "knows no fault \"flood\"; it knows: silent, stale"),
        ("cabinet", json!({ "fault": "flood" }), "truncated (0 to 39 bytes)"),
        ("ups", json!({ "fault": { "name": "silent", "number": 3 } }), "takes no number"),
        ("cabinet", json!({ "fault": { "name": "delay", "number": 60_001 } }), "1 to 60000 milliseconds"),
        ("cabinet", json!({ "fault": { "name": "delay", "number": -1 } }), "1 to 60000 milliseconds"),
        ("cabinet", json!({ "fault": { "name": "delay", "after": 1 } }), "with after"),
        ("cabinet", json!({ "fault": 7 }), "knows no fault"),
        ("code-scanner", json!({ "scan_text": "" }), "a text of 1 to 8192 bytes"),
        ("code-scanner", json!({ "scan_text": 7 }), "a text of 1 to 8192 bytes"),
    ] {
        let error = set.desk.change(device, &wanted).unwrap_err().to_string();
        assert!(error.contains(words), "{wanted}: {error}");
    }
    assert_eq!(set.desk.devices(), before, "nothing was done by halves");
}

/// The page draws itself from what devices know; its words must know as much, in both languages.
#[test]
fn the_page_has_words_for_all_that_devices_know() {
    let words = include_str!("../../page/device-words.js");
    let said = |key: &str| {
        [format!("    {key}: "), format!("    \"{key}\": ")]
            .iter()
            .map(|key| words.matches(key).count())
            .sum::<usize>()
    };
    let set = set_up();
    for device in json!(set.desk.devices()).as_array().unwrap() {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let name = text(&device["name"]);
        let mut keys = vec![format!("device_{name}")];
        // Cards have a place of their own on the page.
        for control in
            device["controls"].as_array().unwrap().iter().filter(|control| control["name"] != "card")
        {
            keys.push(format!("control_{}", text(&control["name"])));
            let choices = control["choices"].as_array().into_iter().flatten();
            keys.extend(choices.map(|choice| format!("choice_{}", text(choice))));
        }
        for fault in device["faults"].as_array().unwrap() {
            let fault_name = text(&fault["name"]);
            let own = format!("note_{name}_{fault_name}");
            keys.push(if said(&own) > 0 { own } else { format!("note_{fault_name}") });
            keys.push(format!("fault_{fault_name}"));
            keys.extend(fault.get("number").map(|number| format!("number_{}", text(&number["unit"]))));
        }
        for key in keys {
            assert_eq!(said(&key), 2, "{key}");
        }
    }
}
