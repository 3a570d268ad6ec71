//! `devctl camera` against simulated cameras, and on pictures that they left.

use std::os::unix::fs::{PermissionsExt, symlink};

use crate::run::{Simulated, run};

#[test]
fn a_picture_is_grabbed_into_a_private_file_and_judged_again_from_there() {
    let folder = tempfile::tempdir().unwrap();
    let (link, file) = (folder.path().join("camera"), folder.path().join("picture.jpg"));
    let camera = Simulated::start(&format!("camera --link {}", link.display()));
    let grab = format!("camera {} grab {} --limit 200000", camera.way, file.display());
    let told = run(&grab).good();
    assert_eq!(told.fact("picture"), "1280 x 720");
    let left = std::fs::metadata(&file).unwrap();
    assert!(left.len() <= 200_000 && left.permissions().mode() & 0o777 == 0o600, "{left:?}");
    run(&grab).misused();
    let told = run(&format!("camera judge {}", file.display())).good();
    assert_eq!(told.fact("judgement"), "good");
    assert!(told.fact("sheet").starts_with("paper, "), "{told:?}");
    std::fs::write(&file, b"no picture").unwrap();
    run(&format!("camera judge {}", file.display())).misused();
}

#[test]
fn what_is_wrong_with_a_picture_is_told_with_its_hint() {
    let folder = tempfile::tempdir().unwrap();
    let mut camera = Simulated::start(&format!("camera --link {}/camera", folder.path().display()));
    let judge = |camera: &Simulated| run(&format!("camera {} --within 30 judge", camera.way));
    assert_eq!(judge(&camera).good().fact("judgement"), "good");
    for (fault, judgement, hint) in [
        ("dark", "too-dark", "uncover-camera"),
        ("empty", "nothing-there", "lay-material"),
        ("blurred", "blurred", "lay-material-flat"),
    ] {
        camera.order(&format!("fault {fault}"));
        let told = judge(&camera);
        assert_eq!(told.fact("judgement"), judgement, "{fault}");
        told.refused(&format!("ask-citizen {hint}"));
    }
    camera.order("fault none");
    camera.order("lay-card");
    let told = judge(&camera).good();
    assert!(told.fact("sheet").starts_with("card, "), "{told:?}");
    camera.order("show-face");
    assert_eq!(
        run(&format!("camera {} --within 30 judge --face", camera.way)).good().fact("judgement"),
        "good"
    );
}

#[test]
fn a_camera_that_is_silent_broken_or_gone_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut camera = Simulated::start(&format!("camera --link {}/camera", folder.path().display()));
    let picture = folder.path().join("picture.jpg");
    let grab = |camera: &Simulated| run(&format!("camera {} grab {}", camera.way, picture.display()));
    camera.order("fault silent");
    grab(&camera).refused("call-operator camera-silent");
    camera.order("fault damaged");
    grab(&camera).refused("call-operator camera-fault");
    camera.order("unplug");
    grab(&camera).refused("call-operator camera-gone");
    run("camera --device /nonexistent/video0 judge").refused("call-operator camera-gone");
    assert!(!picture.exists(), "no picture is left of a camera that gives none");
    run("camera judge").misused();
    run("camera --socket /s judge x.jpg").misused();
    run("camera --device /dev/video0 --socket /s grab x.jpg").misused();
    run("camera --device /dev/video0 --size large grab x.jpg").misused();
}

#[test]
fn nodes_are_listed_with_their_stable_names() {
    let folder = tempfile::tempdir().unwrap();
    let list = format!("camera list --folder {}", folder.path().display());
    run(&list).refused("call-operator camera-gone");
    for node in ["video0", "video1", "tty0"] {
        std::fs::write(folder.path().join(node), "").unwrap();
    }
    std::fs::create_dir_all(folder.path().join("v4l/by-id")).unwrap();
    symlink("../../video1", folder.path().join("v4l/by-id/usb-Made_up-video-index0")).unwrap();
    let told = run(&list).good();
    assert_eq!(told.facts.matches("node: ").count(), 2);
    assert!(told.fact("name").contains("usb-Made_up-video-index0 -> "), "{told:?}");
}

#[test]
fn a_picture_is_recorded_and_played_back() {
    let folder = tempfile::tempdir().unwrap();
    let [tape, first, second] =
        ["tape.jsonl", "first.jpg", "second.jpg"].map(|name| folder.path().join(name));
    let camera = Simulated::start(&format!("camera --link {}/camera", folder.path().display()));
    run(&format!("camera {} --record {} grab {}", camera.way, tape.display(), first.display())).good();
    camera.quit();
    let told = run(&format!("camera --replay {} grab {}", tape.display(), second.display())).good();
    assert_eq!((told.fact("picture"), told.fact("replay")), ("1280 x 720", "as recorded"));
    // Not always the very same frame: on a busy machine more of them come than a recording has room for.
    assert!(second.exists());
    let device = format!("camera --device /nonexistent/video0 --record {}.2 judge", tape.display());
    run(&device).misused();
}
