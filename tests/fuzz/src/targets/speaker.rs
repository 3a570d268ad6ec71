//! What the server that speaks answers, and what it is sent.

use device_drivers::speaker::protocol::{NoReply, Reply, ReplyDecoder, message};

use super::as_text;
use crate::Target;

pub(super) fn targets() -> Vec<Target> {
    vec![Target {
        name: "device-speaker-replies",
        decodes: "answers and events of Speech Dispatcher (SSIP): ReplyDecoder; and texts on their way to it",
        inputs: 5000,
        seeds,
        run,
    }]
}

fn seeds() -> Vec<Vec<u8>> {
    let seeds = [
        "208 OK CLIENT NAME SET\r\n245-1\r\n245 OK CLIENT ID SENT\r\n",
        "230 OK RECEIVING DATA\r\n225-7\r\n225 OK MESSAGE QUEUED\r\n",
        "701-7\r\n701-1\r\n701 BEGIN\r\n213 OK CANCELED\r\n",
        "500 ERR INVALID COMMAND\r\n300-Opening sound device failed.\r\n300 MODULE ERROR\r\n",
        ".\r\n..\r\n请取走您的身份证。\r\n.\r\nQUIT\r\n",
    ];
    seeds.map(|seed| seed.as_bytes().to_vec()).to_vec()
}

fn run(bytes: &[u8]) {
    let whole = replies([bytes]);
    let third = bytes.len() / 3;
    assert_eq!(whole, replies([&bytes[..third], &bytes[third..]]), "a split changes nothing");
    if bytes.len() <= 2048 {
        assert_eq!(whole, replies(bytes.chunks(1)), "bytes one by one change nothing");
    }
    for reply in whole.into_iter().flatten() {
        assert!((100..1000).contains(&reply.code));
        assert!(!(reply.is_good() && reply.is_event()));
    }
    let message = message(&as_text(bytes));
    let body = message.strip_suffix(".\r\n").expect("a text ends");
    assert!(!format!("\r\n{body}").contains("\r\n.\r\n"), "and ends once");
}

fn replies<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Result<Reply, NoReply>> {
    let mut decoder = ReplyDecoder::default();
    let mut found = Vec::new();
    for piece in pieces {
        decoder.push(piece);
        found.extend(std::iter::from_fn(|| decoder.next_reply()));
    }
    found
}
