//! Cameras: which there are, a picture, and whether it is good enough.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::{Duration, Instant};

use clap::Subcommand;
use device_drivers::camera::protocol::mjpg;
use device_drivers::camera::{
    Camera, CameraError, FaceJudge, FaceJudgement, FrameSource, Judge, Judgement, Picture, RawFrame, Shape,
    SocketCamera, V4l2Camera, keep,
};
use device_drivers::descriptor_line::DescriptorLine;
use device_drivers::transport::Transport;
use device_drivers::{Hint, Remedy};

use crate::answer::{Failure, Outcome, fact};
use crate::private_file;
use crate::tape::{Reel, Tape};

/// The kind's name in recordings.
const KIND: &str = "camera";

/// The largest picture that is judged, in bytes.
const PICTURE_BYTES_MAX: u64 = 64 << 20;
/// A picture is bad when it was found so as often in a row: the first look cannot tell whether anything moves.
const SURE: u32 = 5;

#[derive(clap::Args)]
pub struct CameraKind {
    #[command(flatten)]
    way: Way,
    /// Size of the pictures, one that the camera has
    #[arg(long, value_name = "WIDTHxHEIGHT", default_value = "1280x720")]
    size: Size,
    /// Seconds to wait for a picture, or for a good one
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    within: u64,
    #[command(flatten)]
    tape: Tape,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Args)]
#[group(multiple = false)]
struct Way {
    /// Node of the camera, better by /dev/v4l/by-id/
    #[arg(long, value_name = "PATH")]
    device: Option<PathBuf>,
    /// Socket of a simulated camera
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Verb {
    /// The video nodes of this machine, with their stable names
    List {
        /// Folder of the nodes
        #[arg(long, value_name = "FOLDER", default_value = "/dev")]
        folder: PathBuf,
    },
    /// Take a picture into a new file that only its owner can read; it shows whatever lies under the camera
    Grab {
        /// A JPEG file
        file: PathBuf,
        /// Its most bytes
        #[arg(long, value_name = "BYTES", default_value_t = 1_000_000)]
        limit: usize,
    },
    /// Judge what the camera sees, or a JPEG file
    Judge {
        /// A JPEG file in place of the camera
        file: Option<PathBuf>,
        /// Judge a face, not a sheet
        #[arg(long)]
        face: bool,
    },
}

#[derive(Clone, Copy)]
struct Size {
    width: u32,
    height: u32,
}

impl FromStr for Size {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Size, Self::Err> {
        let sides = text.split_once('x').and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)));
        let (width, height) = sides.ok_or("looks like 1280x720")?;
        Ok(Size { width, height })
    }
}

/// Either kind of camera.
struct Source(Box<dyn FrameSource>);

impl FrameSource for Source {
    fn next_frame(&mut self, deadline: Instant) -> Result<RawFrame, CameraError> {
        self.0.next_frame(deadline)
    }

    fn close(&mut self) {
        self.0.close();
    }
}

impl From<CameraError> for Failure {
    fn from(error: CameraError) -> Failure {
        Failure::device(&error, error.remedy())
    }
}

impl CameraKind {
    pub fn run(self) -> Outcome {
        let until = Instant::now() + Duration::from_secs(self.within);
        match &self.verb {
            Verb::List { folder } => list(folder),
            Verb::Grab { file, limit } => self.with_camera(|camera| grab(camera, until, file, *limit)),
            Verb::Judge { file: None, face } => self.with_camera(|camera| judge(camera, until, *face)),
            Verb::Judge { file: Some(_), .. } if self.way.is_said() => {
                Err(Failure::usage("either a camera is judged or a file"))
            }
            Verb::Judge { file: Some(file), face } => judge_file(file, *face),
        }
    }

    fn with_camera(&self, look: impl FnOnce(&mut Camera<Source>) -> Outcome) -> Outcome {
        let (source, reel) = self.source()?;
        let outcome = look(&mut Camera::new(source));
        reel.finish(outcome)
    }

    fn source(&self) -> Result<(Source, Reel), Failure> {
        let Size { width, height } = self.size;
        if let Some(path) = &self.way.device {
            return Ok((Source(Box::new(V4l2Camera::new(path, width, height))), self.tape.none()?));
        }
        let line = |path: &PathBuf| Box::new(DescriptorLine::unix(path)) as Box<dyn Transport>;
        let (transport, reel) = self.tape.thread(KIND, self.way.socket.as_ref().map(line))?;
        Ok((Source(Box::new(SocketCamera::over(transport))), reel))
    }
}

impl Way {
    fn is_said(&self) -> bool {
        self.device.is_some() || self.socket.is_some()
    }
}

/// The next picture; what a second try may mend is tried again.
fn picture(camera: &mut Camera<Source>, until: Instant) -> Result<Picture, CameraError> {
    loop {
        match camera.picture() {
            Err(error) if error.remedy() == Remedy::Retry && Instant::now() < until => {}
            outcome => return outcome,
        }
    }
}

fn grab(camera: &mut Camera<Source>, until: Instant, file: &Path, limit: usize) -> Outcome {
    let picture = picture(camera, until)?;
    fact("picture", format!("{} x {}", picture.width(), picture.height()));
    let kept = keep(&picture, limit).map_err(Failure::usage)?;
    private_file::create(file, &kept.jpeg)?;
    fact("kept", format!("{} x {}, {} bytes", kept.width, kept.height, kept.jpeg.len()));
    Ok(())
}

fn judge(camera: &mut Camera<Source>, until: Instant, face: bool) -> Outcome {
    let mut judges = Judges::new(face);
    let (mut last, mut in_a_row) = ("", 0);
    loop {
        let seen = judges.look(&picture(camera, until)?);
        in_a_row = if seen.word == last { in_a_row + 1 } else { 1 };
        last = seen.word;
        if seen.hint.is_none() || in_a_row >= SURE || Instant::now() >= until {
            return seen.tell();
        }
    }
}

fn judge_file(file: &Path, face: bool) -> Outcome {
    let bytes = private_file::read(file, PICTURE_BYTES_MAX)?;
    let size = mjpg::header(&bytes);
    let decoded = size.and_then(|header| mjpg::decode(&bytes, header.width, header.height));
    let picture = decoded.map_err(|error| Failure::usage(format!("{}: {error}", file.display())))?;
    let mut judges = Judges::new(face);
    // Once to learn it, once more to see that nothing moves.
    judges.look(&picture);
    judges.look(&picture).tell()
}

enum Judges {
    Sheet(Box<Judge>),
    Face(FaceJudge),
}

/// What a judge saw.
struct Seen {
    word: &'static str,
    hint: Option<Hint>,
    facts: Vec<(&'static str, String)>,
}

impl Judges {
    fn new(face: bool) -> Judges {
        if face { Judges::Face(FaceJudge::default()) } else { Judges::Sheet(Box::default()) }
    }

    fn look(&mut self, picture: &Picture) -> Seen {
        match self {
            Judges::Face(judge) => {
                let judgement = judge.look(picture).judgement;
                Seen { word: face_word(judgement), hint: judgement.hint(), facts: Vec::new() }
            }
            Judges::Sheet(judge) => {
                let look = judge.look(picture);
                let sheet = look.sheet.map_or("-".to_owned(), |sheet| {
                    format!("{}, {:.0} % of the picture", shape_word(sheet.shape), sheet.share * 100.0)
                });
                let sharpness = look.sharpness.map_or("-".to_owned(), |sharpness| format!("{sharpness:.2}"));
                let facts = vec![("sheet", sheet), ("sharpness", sharpness)];
                Seen { word: sheet_word(look.judgement), hint: look.judgement.hint(), facts }
            }
        }
    }
}

impl Seen {
    fn tell(self) -> Outcome {
        fact("judgement", self.word);
        self.facts.iter().for_each(|(word, value)| fact(word, value));
        match self.hint {
            None => Ok(()),
            Some(hint) => {
                let what = format!("the picture is not good enough: {}", self.word);
                Err(Failure::device(&what, Remedy::AskCitizen(hint)))
            }
        }
    }
}

fn sheet_word(judgement: Judgement) -> &'static str {
    match judgement {
        Judgement::Good => "good",
        Judgement::TooDark => "too-dark",
        Judgement::TooBright => "too-bright",
        Judgement::NothingThere => "nothing-there",
        Judgement::Moving => "moving",
        Judgement::CutOff => "cut-off",
        Judgement::Glare => "glare",
        Judgement::NotFlat => "not-flat",
        Judgement::Blurred => "blurred",
    }
}

fn face_word(judgement: FaceJudgement) -> &'static str {
    match judgement {
        FaceJudgement::Good => "good",
        FaceJudgement::TooDark => "too-dark",
        FaceJudgement::Backlit => "backlit",
        FaceJudgement::TooBright => "too-bright",
        FaceJudgement::Moving => "moving",
        FaceJudgement::Blurred => "blurred",
    }
}

fn shape_word(shape: Shape) -> &'static str {
    match shape {
        Shape::Paper => "paper",
        Shape::Card => "card",
        Shape::Other => "other shape",
    }
}

fn list(folder: &Path) -> Outcome {
    let nodes = entries(folder, "video");
    if nodes.is_empty() {
        return Err(CameraError::Gone.into());
    }
    nodes.iter().for_each(|node| fact("node", node.display()));
    for name in entries(&folder.join("v4l/by-id"), "") {
        if let Ok(node) = std::fs::canonicalize(&name) {
            fact("name", format!("{} -> {}", name.display(), node.display()));
        }
    }
    Ok(())
}

/// What lies in a folder under names that begin like this, in order.
fn entries(folder: &Path, prefix: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let wanted = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix));
    let mut paths: Vec<PathBuf> = wanted.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}
