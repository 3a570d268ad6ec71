//! `devctl speaker` against a simulated Speech Dispatcher.

use crate::run::{Simulated, run};

#[test]
fn a_text_is_said_broken_off_and_told_by_its_length_alone() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Simulated::start(&format!("speaker --socket {}", folder.path().join("voice").display()));
    let way = server.way.clone();
    assert_eq!(run(&format!("speaker {way} look")).good().fact("server"), "here");
    let told = run(&format!("speaker {way} say 请取走您的身份证，谢谢")).good();
    assert_eq!(told.fact("said"), "11 characters in cmn-latn-pinyin");
    assert_eq!(server.answer("said"), "done: cmn-latn-pinyin being said: 请取走您的身份证，谢谢");
    run(&format!("speaker {way} say --voice cantonese 你嘅身份證")).good();
    run(&format!("speaker {way} hush")).good();
    assert_eq!(server.answer("said"), "done: yue broken off: 你嘅身份證");
    for (fault, remedy) in [
        ("silent", "call-operator speaker-silent"),
        ("closes", "call-operator speaker-gone"),
        ("garbage", "call-operator speaker-fault"),
        ("refuses:404", "call-operator speaker-fault"),
    ] {
        server.order(&format!("fault {fault}"));
        run(&format!("speaker {way} look")).refused(remedy);
    }
    server.order("fault none");
    server.order("unplug");
    run(&format!("speaker {way} look")).refused("call-operator speaker-gone");
    run("speaker say").misused();
    server.quit();
}

#[test]
fn a_text_is_recorded_and_played_back() {
    let folder = tempfile::tempdir().unwrap();
    let server = Simulated::start(&format!("speaker --socket {}", folder.path().join("voice").display()));
    let tape = folder.path().join("tape.jsonl");
    let tape = tape.display();
    run(&format!("speaker {} --record {tape} say 请取走您的身份证", server.way)).good();
    server.quit();
    let told = run(&format!("speaker --replay {tape} say 请取走您的身份证")).good();
    assert_eq!((told.fact("said"), told.fact("replay")), ("8 characters in cmn-latn-pinyin", "as recorded"));
    let told = run(&format!("speaker --replay {tape} say 别的")).refused("call-operator speaker-gone");
    assert!(told.fact("replay").contains("leaves the recording"), "{told:?}");
}
