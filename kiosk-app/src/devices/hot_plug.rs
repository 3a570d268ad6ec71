//! Notices that a plug was put in or pulled: a device's name appears in its folder, or goes. udev makes and removes
//! these names (`/dev/serial/by-id/…`, `/dev/usb/lp0`), and the folder with its last one, so the nearest folder that
//! is there is watched. Where nothing can be watched, each device is still tried again by itself.

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What may mean that a device can be opened now, or is gone: `ATTRIB` is udev setting the permissions.
const NEWS: WatchFlags = WatchFlags::CREATE
    .union(WatchFlags::DELETE)
    .union(WatchFlags::MOVED_TO)
    .union(WatchFlags::ATTRIB)
    .union(WatchFlags::DELETE_SELF);
/// Room for some events with names; what does not fit is read next.
const ROOM: usize = 4096;
/// udev makes several changes for one plug: one look for all of them.
const SETTLE: Duration = Duration::from_millis(30);

/// Calls `look` after each change around these names, on a thread of its own.
pub fn watch(names: Vec<PathBuf>, look: impl Fn() + Send + 'static) -> std::io::Result<()> {
    if names.is_empty() {
        return Ok(());
    }
    let watcher = inotify::init(CreateFlags::CLOEXEC)?;
    add(&watcher, &names);
    std::thread::Builder::new().name("hot-plug".into()).spawn(move || {
        let mut room = [MaybeUninit::uninit(); ROOM];
        while wait(&watcher, &mut room) {
            std::thread::sleep(SETTLE);
            // A folder may have come or gone with it.
            add(&watcher, &names);
            look();
        }
    })?;
    Ok(())
}

/// Watches the nearest folder of each name; one that is watched already stays so.
fn add(watcher: &OwnedFd, names: &[PathBuf]) {
    for name in names {
        if let Some(folder) = nearest_folder(name)
            && let Err(error) = inotify::add_watch(watcher, folder, NEWS)
        {
            tracing::debug!(%error, folder = %folder.display(), "plugs are not watched here");
        }
    }
}

fn nearest_folder(name: &Path) -> Option<&Path> {
    name.ancestors().skip(1).find(|folder| folder.is_dir())
}

/// Waits for any event and takes all that are there. False when there will be none.
fn wait(watcher: &OwnedFd, room: &mut [MaybeUninit<u8>]) -> bool {
    let mut events = Reader::new(watcher, room);
    loop {
        match events.next() {
            Ok(event) if !event.events().contains(ReadFlags::IGNORED) => return true,
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => {
                tracing::warn!(%error, "plugs are no longer watched");
                return false;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Receiver, channel};

    const LONG: Duration = Duration::from_secs(10);

    fn watched(name: PathBuf) -> Receiver<()> {
        let (sender, looks) = channel();
        watch(vec![name], move || drop(sender.send(()))).unwrap();
        looks
    }

    #[test]
    fn a_name_that_comes_and_goes_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let name = folder.path().join("reader");
        let looks = watched(name.clone());
        std::fs::write(&name, "").unwrap();
        looks.recv_timeout(LONG).expect("it came");
        std::fs::remove_file(&name).unwrap();
        looks.recv_timeout(LONG).expect("it went");
    }

    #[test]
    fn a_folder_that_does_not_exist_yet_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let by_id = folder.path().join("serial/by-id");
        let name = by_id.join("usb-maker_reader");
        let looks = watched(name.clone());
        std::fs::create_dir_all(&by_id).unwrap();
        looks.recv_timeout(LONG).expect("the folder came");
        // Whatever else the folders' coming caused has been looked at by now, or is one look more.
        std::fs::write(&name, "").unwrap();
        looks.recv_timeout(LONG).expect("the name came");
    }
}
