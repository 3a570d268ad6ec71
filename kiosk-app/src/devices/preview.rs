//! The camera's newest picture on its way to the screen: one place, in which a newer picture takes the older one's. Neither
//! side waits for the other, and nothing lies there unless the session wants to see it.

use device_drivers::camera::Picture;
use kiosk_core::session::Ticket;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The place. Clones are the same place.
#[derive(Clone, Default)]
pub struct Preview(Arc<Mutex<Place>>);

#[derive(Default)]
struct Place {
    wanted: Option<Ticket>,
    newest: Option<Picture>,
    /// The screen was told and has not looked yet.
    told: bool,
}

impl Preview {
    fn place(&self) -> MutexGuard<'_, Place> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on pictures are wanted, under this ticket.
    pub fn open(&self, ticket: Ticket) {
        let before =
            std::mem::replace(&mut *self.place(), Place { wanted: Some(ticket), ..Place::default() });
        drop(before);
    }

    /// No more pictures are wanted, and what lay here is erased. A picture that comes after this goes nowhere.
    pub fn close(&self) {
        let before = std::mem::take(&mut *self.place());
        drop(before);
    }

    /// Under which ticket pictures are wanted.
    pub fn wanted(&self) -> Option<Ticket> {
        self.place().wanted
    }

    /// Puts a picture here in place of an older one. True when the screen has to be told that one is here.
    pub fn put(&self, ticket: Ticket, picture: Picture) -> bool {
        let mut place = self.place();
        if place.wanted != Some(ticket) {
            return false;
        }
        let older = place.newest.replace(picture);
        let tell = !std::mem::replace(&mut place.told, true);
        drop(place);
        // Erasing takes a moment: not while the screen may want its turn.
        drop(older);
        tell
    }

    /// Takes the newest picture.
    pub fn take(&self) -> Option<Picture> {
        let mut place = self.place();
        place.told = false;
        place.newest.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(grey: u8) -> Picture {
        Picture::filled(2, 2, [grey; 3])
    }

    #[test]
    fn the_newest_wins_and_the_screen_is_told_once() {
        let preview = Preview::default();
        preview.open(Ticket(1));
        assert!(preview.put(Ticket(1), picture(1)));
        assert!(!preview.put(Ticket(1), picture(2)), "it was told and has not looked");
        assert_eq!(preview.take(), Some(picture(2)));
        assert_eq!(preview.take(), None);
        assert!(preview.put(Ticket(1), picture(3)));
    }

    #[test]
    fn what_nobody_wants_stays_nowhere() {
        let preview = Preview::default();
        assert!(!preview.put(Ticket(1), picture(1)));
        preview.open(Ticket(1));
        preview.put(Ticket(1), picture(1));
        preview.close();
        assert_eq!((preview.take(), preview.wanted()), (None, None));
        assert!(!preview.put(Ticket(1), picture(2)), "it comes after the end");
        preview.open(Ticket(2));
        assert!(!preview.put(Ticket(1), picture(2)), "it is of the resident before");
        assert_eq!(preview.take(), None);
    }
}
