//! What every light, sensor and door promises, on whatever it hangs; and what Linux's own do beyond that.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use device_drivers::cabinet::{
    ActiveLevel, CabinetDoor, CabinetError, DoorReport, DoorState, Edges, GpioDoor, GpioInput,
    GpioPresenceSensor, IndicatorLight, LedLight, LightPattern, Presence, PresenceSensor,
};
use device_drivers::{Fault, Remedy};

/// Long enough for any debounce on a busy machine.
pub const SOON: Duration = Duration::from_secs(10);

/// Any light: `seen` looks at the lamp itself, and may wait a little for what is expected.
pub fn every_pattern_is_shown(light: &mut dyn IndicatorLight, seen: &dyn Fn(LightPattern) -> LightPattern) {
    use LightPattern::{Fast, Off, On, Slow};
    for pattern in [On, Slow, Fast, On, Off, Slow, Slow, Off, Off, Fast, Off, On, On] {
        assert_eq!(light.show(pattern), Ok(()));
        assert_eq!(seen(pattern), pattern);
    }
}

/// Any presence sensor: `set` stands before it or goes.
pub fn coming_and_going_is_felt(sensor: &mut dyn PresenceSensor, set: &dyn Fn(Presence)) {
    for presence in [Presence::Near, Presence::Far, Presence::Near] {
        let before = sensor.presence().unwrap();
        assert_ne!(before, presence);
        let start = Instant::now();
        set(presence);
        while sensor.presence().unwrap() != presence {
            assert!(start.elapsed() < SOON, "{presence:?} is not felt");
        }
        assert!(start.elapsed() >= Duration::from_millis(200), "debounced: {:?}", start.elapsed());
    }
}

/// Any door: `set` moves it and returns when its contact has settled.
pub fn every_edge_is_counted(door: &mut dyn CabinetDoor, set: &dyn Fn(DoorState)) {
    use DoorState::{Closed, Open};
    assert_eq!(door.look(), Ok(DoorReport { state: Closed, edges: Edges::Unknown }), "nobody watched before");
    assert_eq!(door.look(), Ok(DoorReport { state: Closed, edges: Edges::Counted(0) }));
    set(Open);
    assert_eq!(door.look(), Ok(DoorReport { state: Open, edges: Edges::Counted(1) }));
    for state in [Closed, Open, Closed] {
        set(state);
    }
    assert_eq!(
        door.look(),
        Ok(DoorReport { state: Closed, edges: Edges::Counted(3) }),
        "opened and closed again"
    );
    assert_eq!(door.look(), Ok(DoorReport { state: Closed, edges: Edges::Counted(0) }));
}

/// The files of one LED, as the kernel lays them.
struct LedFolder {
    dir: tempfile::TempDir,
}

impl LedFolder {
    fn new(triggers: &str) -> LedFolder {
        let folder = LedFolder { dir: tempfile::tempdir().unwrap() };
        folder.put("max_brightness", "255\n");
        folder.put("brightness", "0\n");
        folder.put("trigger", triggers);
        // The kernel makes these two when the trigger is chosen; here nobody does.
        folder.put("delay_on", "500\n");
        folder.put("delay_off", "500\n");
        folder
    }

    fn path(&self) -> PathBuf {
        self.dir.path().to_path_buf()
    }

    fn put(&self, name: &str, text: &str) {
        std::fs::write(self.dir.path().join(name), text).unwrap();
    }

    fn get(&self, name: &str) -> String {
        std::fs::read_to_string(self.dir.path().join(name)).unwrap()
    }

    /// What the lamp shows by these files. Does what the kernel does about a trigger that was written: shows
    /// it among the others, in brackets.
    fn shows(&self) -> LightPattern {
        let trigger = self.get("trigger");
        if ["none", "timer"].contains(&trigger.as_str()) {
            let list = "none rc-feedback timer heartbeat\n".replace(&trigger, &format!("[{trigger}]"));
            self.put("trigger", &list);
        }
        let delays = (self.get("delay_on"), self.get("delay_off"));
        match (self.get("trigger").contains("[timer]"), delays.0.as_str(), delays.1.as_str()) {
            (true, "1000", "1000") => LightPattern::Slow,
            (true, "200", "200") => LightPattern::Fast,
            (false, _, _) if self.get("brightness") == "255" => LightPattern::On,
            (false, _, _) if self.get("brightness") == "0" => LightPattern::Off,
            other => panic!("{other:?} {}", self.get("brightness")),
        }
    }
}

#[test]
fn an_led_shows_every_pattern() {
    let folder = LedFolder::new("[none] rc-feedback timer heartbeat\n");
    every_pattern_is_shown(&mut LedLight::in_folder(folder.path()), &|_| folder.shows());
}

#[test]
fn an_led_that_something_else_drove_is_taken_over() {
    let folder = LedFolder::new("none rc-feedback timer [heartbeat]\n");
    let mut light = LedLight::in_folder(folder.path());
    light.show(LightPattern::On).unwrap();
    assert_eq!(folder.shows(), LightPattern::On);
}

#[test]
fn an_order_that_is_repeated_does_not_start_the_blinking_anew() {
    let folder = LedFolder::new("[none] timer\n");
    let mut light = LedLight::in_folder(folder.path());
    light.show(LightPattern::Slow).unwrap();
    assert_eq!((folder.get("trigger").as_str(), folder.shows()), ("timer", LightPattern::Slow));
    let shown = folder.get("trigger");
    light.show(LightPattern::Slow).unwrap();
    assert_eq!(folder.get("trigger"), shown, "the trigger is not written again");
}

#[test]
fn an_led_that_cannot_blink_says_so_and_still_lights() {
    let folder = LedFolder::new("[none] heartbeat\n");
    let mut light = LedLight::in_folder(folder.path());
    assert_eq!(light.show(LightPattern::Slow), Err(CabinetError::CannotBlink));
    assert_eq!(CabinetError::CannotBlink.remedy(), Remedy::CallOperator(Fault::CabinetFault));
    light.show(LightPattern::On).unwrap();
    assert_eq!(folder.get("brightness"), "255");
}

#[test]
fn an_led_that_is_gone_comes_back_and_no_file_is_made_up() {
    let folder = LedFolder::new("[none] timer\n");
    let (there, away) = (folder.path().join("led"), folder.path().join("away"));
    std::fs::create_dir(&away).unwrap();
    for name in ["max_brightness", "brightness", "trigger"] {
        std::fs::copy(folder.path().join(name), away.join(name)).unwrap();
    }
    let mut light = LedLight::in_folder(&there);
    assert_eq!(light.show(LightPattern::On), Err(CabinetError::Gone));
    assert_eq!(CabinetError::Gone.remedy(), Remedy::CallOperator(Fault::CabinetGone));
    std::fs::rename(&away, &there).unwrap();
    assert_eq!(light.show(LightPattern::On), Ok(()));
    // A kernel that offers no delays: the light is there, what is asked of it is not.
    assert_eq!(light.show(LightPattern::Fast), Err(CabinetError::Denied));
    assert!(!there.join("delay_on").exists());
}

#[test]
fn an_led_is_found_by_its_name() {
    let mut light = LedLight::named("kiosk-no-such-led");
    assert_eq!(light.show(LightPattern::Off), Err(CabinetError::Gone));
}

fn gpio(chip: &Path) -> GpioInput {
    GpioInput { chip: chip.to_path_buf(), offset: 4, active: ActiveLevel::Low }
}

/// All that can be tried without a GPIO chip.
#[test]
fn a_gpio_chip_that_is_not_there_or_is_none_is_an_error_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("plain");
    std::fs::write(&file, b"").unwrap();
    let missing = dir.path().join("gpiochip0");
    for (chip, error) in [
        (missing.as_path(), CabinetError::Gone),
        (&file, CabinetError::Denied),
        (Path::new("/dev/null"), CabinetError::Denied),
    ] {
        for _ in 0..2 {
            assert_eq!(GpioPresenceSensor::new(gpio(chip)).presence(), Err(error));
            assert_eq!(GpioDoor::new(gpio(chip)).look(), Err(error));
        }
    }
}
