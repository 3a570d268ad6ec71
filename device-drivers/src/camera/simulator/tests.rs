//! Scenes are judged as a person would judge them.

use super::super::judge::{FaceJudge, FaceJudgement, Judge, Judgement};
use super::super::protocol::{FrameFormat, decode};
use super::super::{Picture, sheet::Shape};
use super::draw::noisy;
use super::server::frame_of;
use super::*;
use crate::remedy::Hint;

const SIZE: (u32, u32) = (1280, 720);

fn a4() -> Laid {
    Laid { turned: 4.0, ..Laid::straight(paper(800), SIZE, 400.0) }
}

fn id_card() -> Laid {
    Laid { turned: -7.0, ..Laid::straight(card(900), SIZE, 340.0) }
}

fn scene(laid: Laid) -> Scene {
    Scene::with(SIZE.0, SIZE.1, laid)
}

/// Two frames of a scene, as a sensor sees them one after the other.
fn two_frames(scene: &Scene) -> [Picture; 2] {
    let first = drawn(scene);
    let second = if scene.moves == 0.0 { first.clone() } else { draw::draw(scene, scene.moves) };
    [noisy(&first, scene.noise, 1), noisy(&second, scene.noise, 2)]
}

/// What a camera sends of a picture, decoded.
fn sent(picture: &Picture, format: FrameFormat) -> Picture {
    decode(&frame_of(picture, CameraProfile { format, ..CameraProfile::default() })).unwrap()
}

/// What the judge says of the second of two frames, through the bytes that a camera sends.
fn judged(frames: &[Picture; 2], format: FrameFormat) -> super::super::Look {
    let mut judge = Judge::default();
    let first = judge.look(&sent(&frames[0], format));
    assert!(first.judgement != Judgement::Good, "one frame shows no stillness");
    judge.look(&sent(&frames[1], format))
}

#[test]
fn each_scene_is_judged_for_what_is_wrong_with_it() {
    let good = scene(a4());
    let glare = |x: f32, y: f32, radius: f32| Some(Glare { middle: (x, y), radius });
    let cases: Vec<(&str, Scene, Judgement)> = vec![
        ("paper", good.clone(), Judgement::Good),
        ("card", scene(id_card()), Judgement::Good),
        ("small card", scene(Laid { width: 240.0, ..id_card() }), Judgement::Good),
        (
            "dark red cover",
            scene(Laid { picture: Picture::filled(800, 1131, [110, 30, 34]), ..a4() }),
            Judgement::Good,
        ),
        (
            "blank sheet",
            scene(Laid { picture: Picture::filled(800, 1131, [228; 3]), ..a4() }),
            Judgement::Good,
        ),
        ("paper in weak light", Scene { light: 0.5, ..good.clone() }, Judgement::Good),
        ("noisy sensor", Scene { noise: 9, ..good.clone() }, Judgement::Good),
        ("a little soft", Scene { blur: 1, ..scene(Laid { width: 340.0, ..id_card() }) }, Judgement::Blurred),
        ("out of focus", Scene { blur: 3, ..good.clone() }, Judgement::Blurred),
        ("card out of focus", Scene { blur: 3, ..scene(id_card()) }, Judgement::Blurred),
        ("far out of focus", Scene { blur: 6, ..good.clone() }, Judgement::Blurred),
        ("empty mat", Scene::empty(SIZE.0, SIZE.1), Judgement::NothingThere),
        ("covered lens", Scene { light: 0.02, ..good.clone() }, Judgement::TooDark),
        ("lamp out", Scene { light: 0.2, ..good.clone() }, Judgement::TooDark),
        ("dark and empty", Scene { light: 0.02, ..Scene::empty(SIZE.0, SIZE.1) }, Judgement::TooDark),
        ("too bright", Scene { light: 1.6, ..good.clone() }, Judgement::TooBright),
        ("lamp in the paper", Scene { glare: glare(600.0, 300.0, 90.0), ..good.clone() }, Judgement::Glare),
        (
            "lamp in the card",
            Scene { glare: glare(640.0, 360.0, 60.0), ..scene(id_card()) },
            Judgement::Glare,
        ),
        ("moving", Scene { moves: 12.0, ..good.clone() }, Judgement::Moving),
        ("moving slowly", Scene { moves: 4.0, ..good.clone() }, Judgement::Moving),
        ("half outside", scene(Laid { middle: (100.0, 360.0), ..a4() }), Judgement::CutOff),
        ("curled", scene(Laid { bow: 16.0, ..a4() }), Judgement::NotFlat),
    ];
    for (name, scene, expected) in &cases {
        let frames = two_frames(scene);
        for format in [FrameFormat::Mjpg, FrameFormat::Yuyv] {
            let look = judged(&frames, format);
            assert_eq!(look.judgement, *expected, "{name}, {format:?}: {look:?}");
        }
    }
}

#[test]
fn every_reason_has_advice_and_a_good_frame_has_none() {
    assert_eq!(Judgement::Good.hint(), None);
    assert_eq!(Judgement::NotFlat.hint(), Some(Hint::LayMaterialFlat));
    assert_eq!(Judgement::Blurred.hint(), Some(Hint::LayMaterialFlat));
    assert_eq!(Judgement::NothingThere.hint(), Some(Hint::LayMaterial));
    assert_eq!(Judgement::Moving.hint(), Some(Hint::HoldMaterialStill));
    assert_eq!(Judgement::CutOff.hint(), Some(Hint::MoveMaterialInside));
    assert_eq!(Judgement::Glare.hint(), Some(Hint::TurnMaterialFromLight));
    assert_eq!(Judgement::TooBright.hint(), Some(Hint::TurnMaterialFromLight));
    assert_eq!(Judgement::TooDark.hint(), Some(Hint::UncoverCamera));
}

#[test]
fn stillness_begins_anew_after_forgetting() {
    let mut judge = Judge::default();
    let picture = drawn(&scene(a4()));
    assert_eq!(judge.look(&picture).judgement, Judgement::Moving);
    assert_eq!(judge.look(&picture).judgement, Judgement::Good);
    judge.forget();
    assert_eq!(judge.look(&picture).judgement, Judgement::Moving);
}

#[test]
fn a_learned_mat_keeps_its_marks_from_being_taken_for_a_sheet() {
    let mut judge = Judge::default();
    let marks = Laid::straight(Picture::filled(20, 20, [120, 120, 90]), SIZE, 200.0);
    let empty = drawn(&scene(marks));
    judge.look(&empty);
    assert_ne!(judge.look(&empty).judgement, Judgement::NothingThere);
    judge.learn_mat(&empty);
    assert_eq!(judge.look(&empty).judgement, Judgement::NothingThere);
    let picture = drawn(&scene(a4()));
    judge.look(&picture);
    let look = judge.look(&picture);
    assert_eq!(look.judgement, Judgement::Good);
    assert_eq!(look.sheet.unwrap().shape, Shape::Paper);
}

/// What the judge says of the second of two frames of the face camera.
fn face_judged(scene: &Scene) -> FaceJudgement {
    let mut judge = FaceJudge::default();
    let [first, second] = two_frames(scene).map(|picture| sent(&picture, FrameFormat::Mjpg));
    assert_ne!(judge.look(&first).judgement, FaceJudgement::Good, "one frame shows no stillness");
    judge.look(&second).judgement
}

#[test]
fn each_face_is_judged_for_what_is_wrong_with_the_frame() {
    let size = (640, 360);
    let before = |picture: Picture, mat: [u8; 3]| {
        let laid = Laid { middle: (320.0, 200.0), ..Laid::straight(picture, size, 260.0) };
        Scene { mat, ..Scene::with(size.0, size.1, laid) }
    };
    let face = before(portrait(300), [120, 124, 128]);
    let light = |light: f32| Scene { light, ..face.clone() };
    let mut dark = portrait(300);
    dark.rgb_mut().iter_mut().for_each(|value| *value /= 5);
    let backlit = before(dark, [250, 250, 250]);
    for (name, scene, expected, hint) in [
        ("a face", face.clone(), FaceJudgement::Good, None),
        ("weak light", light(0.6), FaceJudgement::Good, None),
        ("breathing", Scene { moves: 0.5, ..face.clone() }, FaceJudgement::Good, None),
        ("covered", light(0.04), FaceJudgement::TooDark, Some(Hint::UncoverCamera)),
        ("backlit", backlit, FaceJudgement::Backlit, Some(Hint::TurnFaceToLight)),
        ("dazzled", light(1.7), FaceJudgement::TooBright, Some(Hint::TurnFaceToLight)),
        (
            "turning away",
            Scene { moves: 20.0, ..face.clone() },
            FaceJudgement::Moving,
            Some(Hint::HoldFaceStill),
        ),
        (
            "out of focus",
            Scene { blur: 6, ..face.clone() },
            FaceJudgement::Blurred,
            Some(Hint::HoldFaceStill),
        ),
    ] {
        let judgement = face_judged(&scene);
        assert_eq!(judgement, expected, "{name}");
        assert_eq!(judgement.hint(), hint, "{name}");
    }
}
