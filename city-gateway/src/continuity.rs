//! Whether the disk that says hello is still the one disk that this life of a queue belongs to. Pure.
//!
//! Each answer carries a token that the next hello has to say. A copy of the disk, or a disk put back from an older
//! image, says an old one. A terminal whose answer was lost says the token before, and is told the present one again;
//! that stays so until the present one is heard, so a lost or repeated message is never taken for a copy.
//!
//! Deliberately absent: any judgement on which of two disks is the true one. Both are asked to begin a new life, both
//! deliver what waits in the old one.

/// A hello that is older than one heard already, by less than this, was delayed on its way.
const LATE_MS: u64 = 10 * 60 * 1000;

/// What a terminal says that its continuity is judged by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// The token of the last answer it has seen.
    pub token: Option<String>,
    /// Last finalised position.
    pub finalised_seq: u64,
    /// Hash of the manifest there.
    pub head_hash: Option<String>,
    /// Value of the TPM's counter.
    pub tpm_counter: Option<u64>,
    /// Names the boot that `monotonic_ms` counts from.
    pub boot_id: String,
    /// Clock that never goes back within a boot.
    pub monotonic_ms: u64,
}

/// What is remembered of one life of a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Life {
    /// The token of the present answer.
    pub token: String,
    /// The one that is said when that answer was lost; nothing when there was none yet.
    pub before: Option<String>,
    /// Highest announced position.
    pub finalised_seq: u64,
    /// Hash of the manifest there.
    pub head_hash: Option<String>,
    /// Highest value of the TPM's counter.
    pub tpm_counter: Option<u64>,
    /// Boot of the last hello.
    pub boot_id: String,
    /// Its clock.
    pub monotonic_ms: u64,
    /// Doubted once.
    pub ended: bool,
}

/// Why a disk is taken for a copy or an older image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// It says an old token.
    OldToken,
    /// It has fewer records than it, or another disk of this name, had.
    PositionWentBack,
    /// It has another record where the same position was announced before.
    OtherHead,
    /// The TPM's counter is lower than before: another machine, or a reset one.
    CounterWentBack,
}

impl Doubt {
    /// The words of the alarm.
    pub fn label(self) -> &'static str {
        match self {
            Self::OldToken => "it says an old token",
            Self::PositionWentBack => "its queue is shorter than it was",
            Self::OtherHead => "another record stands where its queue ended",
            Self::CounterWentBack => "the TPM's counter went back",
        }
    }
}

/// What a hello led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// What is remembered from now on.
    pub life: Life,
    /// Set when this hello is the one that raised the doubt.
    pub doubt: Option<Doubt>,
}

/// Judges one hello. `held_beyond` says that the city has held a record beyond the announced position for longer
/// than a message can be under way; `fresh` is a token nobody has heard yet.
pub fn hear(known: Option<Life>, heard: &Heard, held_beyond: bool, fresh: String) -> Verdict {
    let Some(mut life) = known else {
        let ended = held_beyond;
        let life = Life {
            token: fresh,
            before: heard.token.clone(),
            finalised_seq: heard.finalised_seq,
            head_hash: heard.head_hash.clone(),
            tpm_counter: heard.tpm_counter,
            boot_id: heard.boot_id.clone(),
            monotonic_ms: heard.monotonic_ms,
            ended,
        };
        return Verdict { life, doubt: ended.then_some(Doubt::PositionWentBack) };
    };
    if life.ended || is_late(&life, heard) {
        return Verdict { life, doubt: None };
    }
    let doubt = doubt(&life, heard, held_beyond);
    if doubt.is_some() {
        life.ended = true;
        return Verdict { life, doubt };
    }
    if heard.token.as_deref() == Some(life.token.as_str()) {
        life.before = Some(std::mem::replace(&mut life.token, fresh));
    }
    if heard.finalised_seq > life.finalised_seq || heard.head_hash.is_some() {
        life.head_hash.clone_from(&heard.head_hash);
    }
    life.finalised_seq = heard.finalised_seq;
    life.tpm_counter = heard.tpm_counter.max(life.tpm_counter);
    life.boot_id.clone_from(&heard.boot_id);
    life.monotonic_ms = heard.monotonic_ms;
    Verdict { life, doubt: None }
}

fn is_late(life: &Life, heard: &Heard) -> bool {
    life.boot_id == heard.boot_id
        && !life.boot_id.is_empty()
        && heard.monotonic_ms < life.monotonic_ms
        && life.monotonic_ms - heard.monotonic_ms < LATE_MS
}

fn doubt(life: &Life, heard: &Heard, held_beyond: bool) -> Option<Doubt> {
    if heard.token.as_deref() != Some(life.token.as_str()) && heard.token != life.before {
        return Some(Doubt::OldToken);
    }
    if heard.finalised_seq < life.finalised_seq || held_beyond {
        return Some(Doubt::PositionWentBack);
    }
    let both = life.head_hash.as_ref().zip(heard.head_hash.as_ref());
    if heard.finalised_seq == life.finalised_seq && both.is_some_and(|(before, now)| before != now) {
        return Some(Doubt::OtherHead);
    }
    match (life.tpm_counter, heard.tpm_counter) {
        (Some(before), Some(now)) if now < before => Some(Doubt::CounterWentBack),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn heard(token: Option<&str>, finalised_seq: u64, at: u64) -> Heard {
        Heard {
            token: token.map(str::to_owned),
            finalised_seq,
            head_hash: Some(format!("hash {finalised_seq}")),
            tpm_counter: Some(finalised_seq),
            boot_id: "boot".into(),
            monotonic_ms: at,
        }
    }

    /// The city, a terminal's disk, and what is under way between them.
    #[derive(Default)]
    struct World {
        life: Option<Life>,
        tokens: u64,
        disk: Option<String>,
        finalised: u64,
        clock: u64,
    }

    impl World {
        fn hello(&mut self) -> Heard {
            self.clock += 1_000;
            let mut heard = heard(self.disk.as_deref(), self.finalised, self.clock);
            heard.head_hash = (self.finalised > 0).then(|| format!("hash {}", self.finalised));
            heard
        }

        fn city(&mut self, heard: &Heard) -> (Option<String>, Option<Doubt>) {
            self.tokens += 1;
            let verdict = hear(self.life.take(), heard, false, format!("token-{}", self.tokens));
            let token = (!verdict.life.ended).then(|| verdict.life.token.clone());
            self.life = Some(verdict.life);
            (token, verdict.doubt)
        }
    }

    #[derive(Debug, Clone)]
    enum Step {
        Finalise,
        Reboot,
        /// A hello that arrives, and whose answer does.
        Whole,
        RequestLost,
        AnswerLost,
        /// The client gave up, but the request still arrives after so many others.
        Delayed,
        /// A delayed one arrives.
        Arrives,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            2 => Just(Step::Finalise),
            1 => Just(Step::Reboot),
            4 => Just(Step::Whole),
            2 => Just(Step::RequestLost),
            3 => Just(Step::AnswerLost),
            2 => Just(Step::Delayed),
            2 => Just(Step::Arrives),
        ]
    }

    proptest! {
        /// Whatever the network loses, repeats or delays: one disk is never taken for two.
        #[test]
        fn one_disk_is_never_doubted(steps in prop::collection::vec(step(), 1..200)) {
            let mut world = World::default();
            let mut delayed = Vec::new();
            for step in steps {
                match step {
                    Step::Finalise => world.finalised += 1,
                    // Nothing that was under way survives the boot for long enough to matter.
                    Step::Reboot => delayed.clear(),
                    Step::Whole => {
                        let heard = world.hello();
                        let (token, doubt) = world.city(&heard);
                        prop_assert_eq!(doubt, None);
                        world.disk = token;
                        prop_assert!(world.disk.is_some());
                    }
                    Step::RequestLost => drop(world.hello()),
                    Step::AnswerLost => {
                        let heard = world.hello();
                        prop_assert_eq!(world.city(&heard).1, None);
                    }
                    Step::Delayed => delayed.push(world.hello()),
                    Step::Arrives => {
                        if let Some(heard) = delayed.pop() {
                            prop_assert_eq!(world.city(&heard).1, None);
                        }
                    }
                }
            }
        }

        /// A copy that speaks after its original went on is noticed at its first hello, wherever it was taken.
        #[test]
        fn a_copy_is_noticed(before in 1..20_u64, after in 2..20_u64, finalised in 0..3_u64) {
            let mut world = World::default();
            for _ in 0..before {
                let heard = world.hello();
                world.disk = world.city(&heard).0;
            }
            let copy = world.hello();
            for _ in 0..after {
                world.finalised += finalised;
                let heard = world.hello();
                world.disk = world.city(&heard).0;
            }
            // It started elsewhere, so its clock says nothing.
            let copy = Heard { boot_id: "other".into(), ..copy };
            prop_assert_eq!(world.city(&copy).1, Some(Doubt::OldToken));
            // From now on neither is believed, and neither raises the alarm again.
            let heard = world.hello();
            prop_assert_eq!(world.city(&heard), (None, None));
        }
    }

    fn known() -> Life {
        hear(None, &heard(None, 5, 10), false, "t1".into()).life
    }

    #[test]
    fn two_disks_that_keep_in_step_are_told_apart_by_what_they_hold() {
        let other = Heard { head_hash: Some("another".into()), ..heard(Some("t1"), 5, 20) };
        assert_eq!(hear(Some(known()), &other, false, "t2".into()).doubt, Some(Doubt::OtherHead));
        let shorter = heard(Some("t1"), 4, 20);
        assert_eq!(hear(Some(known()), &shorter, false, "t2".into()).doubt, Some(Doubt::PositionWentBack));
        assert_eq!(
            hear(Some(known()), &heard(Some("t1"), 5, 20), true, "t2".into()).doubt,
            Some(Doubt::PositionWentBack)
        );
        let counter = Heard { tpm_counter: Some(1), ..heard(Some("t1"), 5, 20) };
        assert_eq!(hear(Some(known()), &counter, false, "t2".into()).doubt, Some(Doubt::CounterWentBack));
        assert_eq!(hear(Some(known()), &heard(Some("t1"), 6, 20), false, "t2".into()).doubt, None);
    }

    #[test]
    fn a_city_that_forgot_its_tokens_believes_the_first_it_hears() {
        let first = hear(None, &heard(Some("from before"), 5, 10), false, "t1".into());
        assert_eq!(first.doubt, None);
        // And again, should its answer be lost.
        let again = hear(Some(first.life), &heard(Some("from before"), 5, 20), false, "t2".into());
        assert_eq!((again.doubt, again.life.token.as_str()), (None, "t1"));
    }

    #[test]
    fn a_disk_that_lost_its_token_is_doubted() {
        let said = hear(Some(known()), &heard(Some("t1"), 5, 20), false, "t2".into()).life;
        assert_eq!(hear(Some(said), &heard(None, 5, 30), false, "t3".into()).doubt, Some(Doubt::OldToken));
    }
}
