//! The socket between kiosk and agent: frames from a process of another Unix user.

use std::io::ErrorKind;

use sync_protocol::limits::MAX_LOCAL_FRAME;
use sync_protocol::local::{
    LOCAL_VERSION, LocalBody, LocalOutcome, LocalReply, LocalRequest, frame, read_frame,
};

use crate::Target;
use crate::golden;
use crate::privacy::assert_quiet;

pub(super) fn targets() -> Vec<Target> {
    vec![Target {
        name: "protocol-local",
        decodes: "frames of agent.sock, both ways: read_frame of LocalRequest and LocalReply",
        inputs: 5000,
        seeds,
        run,
    }]
}

fn seeds() -> Vec<Vec<u8>> {
    let request = |body| LocalRequest { version: LOCAL_VERSION, ticket: "t-1".into(), within_ms: 5000, body };
    let reply = |outcome| LocalReply { version: LOCAL_VERSION, ticket: "t-1".into(), outcome };
    let question = LocalBody::Query { question: golden::text("question_sealed").into() };
    let answer = LocalOutcome::Answer { answer: golden::text("answer_sealed").into() };
    let requests = [question, LocalBody::TryNow, LocalBody::ReachCity, LocalBody::FetchCatalog];
    let requests: Vec<Vec<u8>> = requests.map(|body| frame(&request(body)).expect("a short frame")).into();
    let replies = [answer, LocalOutcome::Done, LocalOutcome::TooLate, LocalOutcome::Busy];
    let replies: Vec<Vec<u8>> = replies.map(|outcome| frame(&reply(outcome)).expect("a short frame")).into();
    let long = u32::MAX.to_be_bytes().to_vec();
    vec![requests.concat(), replies.concat(), requests[1].clone(), replies[1].clone(), long]
}

fn run(bytes: &[u8]) {
    let mut stream = bytes;
    loop {
        let before = stream.len();
        match read_frame::<LocalRequest>(&mut stream) {
            Ok(request) => {
                assert!(before - stream.len() <= MAX_LOCAL_FRAME + 4);
                let again = frame(&request).ok().and_then(|frame| read_frame(&mut frame.as_slice()).ok());
                assert!(again.is_none_or(|again: LocalRequest| again == request));
                assert_quiet(&format!("{request:?}"));
            }
            Err(error) => {
                assert!(matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::InvalidData));
                break;
            }
        }
    }
    let mut stream = bytes;
    while let Ok(reply) = read_frame::<LocalReply>(&mut stream) {
        let again = frame(&reply).ok().and_then(|frame| read_frame(&mut frame.as_slice()).ok());
        assert!(again.is_none_or(|again: LocalReply| again == reply));
        assert_quiet(&format!("{reply:?}"));
    }
}
