//! The frames between client and child: what is sent arrives, and any bytes are understood whole or refused.

use chinese_input::protocol::{
    Answer, BODY_BYTES_MAX, LENGTH_BYTES, REQUEST_BYTES_MAX, Request, VERSION, body_length,
};
use chinese_input::{
    CANDIDATES_MAX, Composition, Key, Mark, Method, PEN_SIDE, POINTS_MAX, Point, Script, Stroke,
    TEXT_BYTES_MAX, child,
};
use kiosk_core::Private;
use proptest::prelude::*;

use super::surroundings::Deployed;

fn requests() -> impl Strategy<Value = Request> {
    let point = (0..PEN_SIDE, 0..PEN_SIDE).prop_map(|(x, y)| Point { x, y });
    let stroke = prop::collection::vec(point, 1..=POINTS_MAX)
        .prop_map(|points| Request::Enter(Mark::Stroke(Stroke::new(&points).unwrap())));
    let methods =
        prop::sample::select(vec![Method::Pinyin, Method::Jyutping, Method::Strokes, Method::Handwriting]);
    let scripts = prop::sample::select(vec![Script::Simplified, Script::Traditional]);
    let method =
        (methods, scripts).prop_map(|(method, script)| Request::Use { version: VERSION, method, script });
    let keys: Vec<Key> = ('\0'..='\u{7f}').filter_map(Key::new).collect();
    let key = prop::sample::select(keys).prop_map(|key| Request::Enter(Mark::Key(key)));
    prop_oneof![
        stroke,
        method,
        key,
        any::<u16>().prop_map(Request::Choose),
        Just(Request::TakeBack),
        Just(Request::Clear)
    ]
}

fn answers() -> impl Strategy<Value = Answer> {
    let text = || "[a-z一-龥𠀀-𠂀]{0,60}".prop_map(|text: String| Private::new(text));
    let composition = (text(), text(), prop::collection::vec(text(), 0..=CANDIDATES_MAX));
    let composition = composition.prop_map(|(typed, committed, candidates)| {
        Answer::Composition(Composition { typed, candidates, committed })
    });
    prop_oneof![composition, Just(Answer::Refused)]
}

fn body(frame: &[u8]) -> &[u8] {
    let (length, body) = frame.split_at(LENGTH_BYTES);
    assert_eq!(body_length(length.try_into().unwrap()).unwrap(), body.len());
    body
}

proptest! {
    #[test]
    fn requests_arrive(request in requests()) {
        let frame = request.encode();
        prop_assert!(frame.len() <= REQUEST_BYTES_MAX);
        prop_assert!(Request::decode(body(&frame)) == Ok(request));
    }

    #[test]
    fn answers_arrive(answer in answers()) {
        let cut = matches!(&answer, Answer::Composition(it)
            if it.candidates.iter().chain([&it.typed, &it.committed]).any(|text| text.expose().len() > TEXT_BYTES_MAX));
        let frame = answer.encode();
        prop_assert!(frame.len() <= LENGTH_BYTES + BODY_BYTES_MAX);
        let decoded = Answer::decode(body(&frame));
        prop_assert!(cut || decoded == Ok(answer));
    }

    #[test]
    fn any_bytes_are_understood_whole_or_refused(kind in 0u8..8, rest in prop::collection::vec(any::<u8>(), 0..600)) {
        let bytes = [&[kind][..], &rest].concat();
        if let Ok(request) = Request::decode(&bytes) {
            prop_assert!(body(&request.encode()) == bytes);
        }
        if let Ok(answer) = Answer::decode(&bytes) {
            prop_assert!(body(&answer.encode()) == bytes);
        }
    }

    #[test]
    fn damaged_frames_are_understood_whole_or_refused(request in requests(), at in any::<usize>(), to in any::<u8>()) {
        let mut bytes = body(&request.encode()).to_vec();
        let at = at % bytes.len();
        bytes[at] = to;
        if let Ok(other) = Request::decode(&bytes) {
            prop_assert!(body(&other.encode()) == bytes);
        }
    }
}

#[test]
fn lengths_are_bounded() {
    for length in [0, BODY_BYTES_MAX as u32 + 1, u32::MAX] {
        assert!(body_length(length.to_le_bytes()).is_err());
    }
}

#[test]
fn the_child_refuses_what_is_no_request_and_bears_the_rest() {
    let deployed = Deployed::new();
    let sources = deployed.sources();
    let serve = |bytes: &[u8]| {
        let mut answers = Vec::new();
        child::serve(&sources, bytes, &mut answers).map(|()| answers)
    };
    // Nobody asks anything; somebody asks before a way of typing was chosen; another release asks.
    assert!(serve(&[]).unwrap().is_empty());
    let refused = Answer::Refused.encode();
    assert_eq!(serve(&Request::TakeBack.encode()).unwrap(), *refused);
    let other_release =
        Request::Use { version: VERSION + 1, method: Method::Pinyin, script: Script::Simplified };
    assert_eq!(serve(&other_release.encode()).unwrap(), *refused);
    for nonsense in
        [&[0, 0, 0, 0][..], &[1, 0, 0, 0, 99], &[2, 0, 0, 0, 2, b'A'], &[255; 64], &[9, 0, 0, 0, 1]]
    {
        assert!(serve(nonsense).is_err(), "{nonsense:?}");
    }
}
