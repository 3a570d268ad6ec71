//! The real Speech Dispatcher with espeak-ng, started by a test for itself: own folder, own socket, and instead of a
//! sound card ALSA's own writer of WAV files. Everything ends with the test.

use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Long enough for it and its module to start on a busy machine.
const START_DEADLINE: Duration = Duration::from_secs(30);
/// Between two looks at something that takes a moment.
pub const LOOK: Duration = Duration::from_millis(25);
/// Bytes before the samples of a WAV file.
const WAV_HEADER: u64 = 44;
/// Words a minute: `EspeakNormalRate` of the server's module.
const USUAL_RATE: &str = "170";

/// How many bytes of sound espeak-ng itself makes of a text, at the speed that the server asks of it.
pub fn bytes_by_espeak(voice: &str, text: &str) -> u64 {
    let file = tempfile::NamedTempFile::new().unwrap();
    let done = Command::new("espeak-ng")
        .args(["-v", voice, "-s", USUAL_RATE, "-w"])
        .arg(file.path())
        .arg(text)
        .status();
    assert!(done.is_ok_and(|status| status.success()), "espeak-ng is installed by `cargo xtask test`");
    file.path().metadata().unwrap().len() - WAV_HEADER
}

pub struct RealSpeaker {
    folder: tempfile::TempDir,
    server: Option<Child>,
}

impl RealSpeaker {
    pub fn start() -> RealSpeaker {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        std::fs::create_dir(folder.path().join("modules")).unwrap();
        // Level 3 names no text.
        put(
            "speechd.conf",
            "LogLevel 3\nAudioOutputMethod \"alsa\"\nAudioALSADevice \"file\"\n\
             AddModule \"espeak-ng\" \"sd_espeak-ng\" \"espeak-ng.conf\"\nDefaultModule espeak-ng\n",
        );
        std::fs::copy(
            "/etc/speech-dispatcher/modules/espeak-ng.conf",
            folder.path().join("modules/espeak-ng.conf"),
        )
        .expect("speech-dispatcher-espeak-ng is installed by `cargo xtask test`");
        let sound = folder.path().join("said.wav");
        let sound = sound.display();
        put(
            "asound.conf",
            &format!(
                "pcm.file {{ type file slave.pcm \"null\" file \"{sound}\" format \"wav\" }}\npcm.null {{ type null }}\n"
            ),
        );
        let mut speaker = RealSpeaker { folder, server: None };
        speaker.run();
        speaker
    }

    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("socket")
    }

    /// How many bytes of sound came out since it was started; a WAV file's header is none. ALSA begins the file anew
    /// when the server opens its output again.
    pub fn sound(&self) -> u64 {
        std::fs::metadata(self.folder.path().join("said.wav"))
            .map_or(0, |file| file.len().saturating_sub(WAV_HEADER))
    }

    pub fn run(&mut self) {
        let mut command = Command::new("speech-dispatcher");
        command.args(["-s", "-t", "0", "-c", "unix_socket", "-S"]).arg(self.socket());
        command.arg("-C").arg(self.folder.path()).arg("-L").arg(self.folder.path());
        command.arg("-P").arg(self.folder.path().join("pid"));
        command.env("ALSA_CONFIG_PATH", self.folder.path().join("asound.conf"));
        let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.server =
            Some(quiet.spawn().unwrap_or_else(|error| {
                panic!("speech-dispatcher: {error}; `cargo xtask test` installs it")
            }));
        let start = Instant::now();
        while UnixStream::connect(self.socket()).is_err() {
            assert!(start.elapsed() < START_DEADLINE, "it does not listen: {}", self.log());
            std::thread::sleep(LOOK);
        }
    }

    pub fn stop(&mut self) {
        if let Some(mut server) = self.server.take() {
            let _ = server.kill();
            let _ = server.wait();
        }
        let _ = std::fs::remove_file(self.socket());
        let _ = std::fs::remove_file(self.folder.path().join("pid"));
        let _ = std::fs::remove_file(self.folder.path().join("said.wav"));
    }

    /// All that it wrote about itself.
    pub fn log(&self) -> String {
        let read = |path: &Path| std::fs::read(path).unwrap_or_default();
        let files = std::fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let logs = files.filter(|path| path.extension().is_some_and(|ending| ending == "log"));
        logs.map(|path| String::from_utf8_lossy(&read(&path)).into_owned()).collect()
    }
}

impl Drop for RealSpeaker {
    fn drop(&mut self) {
        self.stop();
    }
}
