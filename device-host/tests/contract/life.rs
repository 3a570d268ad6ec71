//! How the process ends: told to, found dead, or left behind by its kiosk.

use std::io::{Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, Stdio};

use device_drivers::vendor_library::protocol::{
    Answer, Frame, FrameDecoder, Limits, LoadFault, Request, VERSION,
};
use device_drivers::vendor_library::{Happening, Loss, VendorError};

use crate::workshop::{
    DEVICE_HOST, DIE_LATER, ECHO, HANG, HELPER, Installed, PID, ask, ask_number, assert_comes_back, is_gone,
    wait_until,
};

const SIGKILL: i32 = 9;
const SIGALRM: i32 = 14;

#[test]
fn a_library_that_died_between_calls_is_noticed_without_a_call() {
    let installed = Installed::misbehaving();
    let mut library = installed.library();
    ask(&mut library, DIE_LATER, &[]).unwrap();
    let mut noticed = Ok(());
    wait_until("its end is noticed", || {
        noticed = library.tend();
        noticed.is_err()
    });
    assert_eq!(noticed, Err(VendorError::Lost { loss: Loss::Crashed(SIGALRM), failures_in_a_row: 1 }));
    wait_until("it is started again without a call", || library.tend().is_ok());
    let happenings: Vec<_> = library.health().recent().map(|(_, what)| *what).collect();
    assert_eq!(happenings, [Happening::Started, Happening::Lost(Loss::Crashed(SIGALRM)), Happening::Started]);
    assert_comes_back(&mut library);
}

#[test]
fn dropping_it_closes_the_library_and_ends_the_process() {
    let mut installed = Installed::misbehaving();
    let mark = installed.folder.path().join("closed");
    installed.config.limits.file_bytes = 4096;
    installed.config.settings = [b"c", mark.to_str().unwrap().as_bytes()].concat().into();
    let mut library = installed.library();
    let pid = ask_number(&mut library, PID);
    assert!(!mark.exists());
    drop(library);
    assert!(mark.exists(), "it was closed");
    assert!(is_gone(pid));
}

#[test]
fn a_library_that_hangs_while_it_closes_is_ended() {
    let mut installed = Installed::misbehaving();
    installed.config.settings = b"z".to_vec().into();
    let mut library = installed.library();
    let pid = ask_number(&mut library, PID);
    let helper = ask_number(&mut library, HELPER);
    drop(library);
    assert!(is_gone(pid));
    wait_until("what it started is gone", || is_gone(helper));
}

/// A host without its kiosk, spoken to by hand.
struct Bare {
    child: Child,
    decoder: FrameDecoder,
}

impl Bare {
    fn start(installed: &Installed) -> Bare {
        let child = Command::new(DEVICE_HOST)
            .arg(&installed.config.library)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap();
        Bare { child, decoder: FrameDecoder::new() }
    }

    fn send(&mut self, bytes: &[u8]) {
        self.child.stdin.as_mut().unwrap().write_all(bytes).unwrap();
    }

    /// The code with which it ends while its line is still there.
    fn ends_with(&mut self) -> Option<i32> {
        // Waiting closes the line otherwise, which ends the host in another way.
        let _line = self.child.stdin.take();
        self.child.wait().unwrap().code()
    }

    fn answer(&mut self) -> Frame {
        let mut byte = [0];
        loop {
            if let Some(frame) = self.decoder.next_frame() {
                return frame.unwrap();
            }
            self.child.stdout.as_mut().unwrap().read_exact(&mut byte).unwrap();
            self.decoder.push(&byte);
        }
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const START: Request<'_> = Request::Start {
    version: VERSION,
    limits: Limits { address_space_bytes: 512 << 20, descriptors: 64, file_bytes: 0 },
    settings: b"",
};

#[test]
fn when_the_kiosk_dies_a_hanging_library_ends_too() {
    let installed = Installed::misbehaving();
    let mut bare = Bare::start(&installed);
    bare.send(&START.encode(1));
    assert!(matches!(Answer::from_frame(&bare.answer()), Ok(Answer::Started { .. })));
    bare.send(&Request::Call { verb: HELPER, output_bytes_max: 64, input: &[] }.encode(2));
    let answer = bare.answer();
    let Ok(Answer::Done(helper)) = Answer::from_frame(&answer) else { panic!("{answer:?}") };
    let helper = std::str::from_utf8(helper).unwrap().parse().unwrap();
    bare.send(&Request::Call { verb: HANG, output_bytes_max: 0, input: &[] }.encode(3));
    drop(bare.child.stdin.take());
    assert_eq!(bare.child.wait().unwrap().signal(), Some(SIGKILL));
    wait_until("what it started is gone", || is_gone(helper));
}

#[test]
fn the_host_believes_no_nonsense() {
    let installed = Installed::misbehaving();
    let call = Request::Call { verb: ECHO, output_bytes_max: 0, input: &[] }.encode(1);
    for nonsense in
        [&b"\xFF\xFF\xFF\xFFxx"[..], b"GET / HTTP/1.1\r\n\r\n", &call, &Answer::Done(b"").encode(1)]
    {
        let mut bare = Bare::start(&installed);
        bare.send(nonsense);
        assert_eq!(bare.ends_with(), Some(3), "{nonsense:?}");
    }
    let mut bare = Bare::start(&installed);
    bare.send(&START.encode(1));
    bare.answer();
    bare.send(&START.encode(2));
    assert_eq!(bare.ends_with(), Some(3), "a second start");
}

#[test]
fn a_kiosk_of_another_release_is_told() {
    let installed = Installed::misbehaving();
    let mut bare = Bare::start(&installed);
    bare.send(&Request::Start { version: VERSION + 1, limits: Limits::default(), settings: b"" }.encode(1));
    let answer = bare.answer();
    let said = Answer::from_frame(&answer);
    assert!(matches!(said, Ok(Answer::Unusable { fault: LoadFault::OtherRelease, .. })), "{said:?}");
}

#[test]
fn started_by_hand_it_says_what_it_is() {
    let by_hand = |command: &mut Command| {
        let output = command.stdin(Stdio::null()).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(by_hand(&mut Command::new(DEVICE_HOST)).contains("usage"));
    // Without a group of its own.
    assert!(by_hand(Command::new(DEVICE_HOST).arg("x.so")).contains("group"));
}
