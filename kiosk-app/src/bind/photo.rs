//! The page of a photo question.

use super::Screen;
use crate::present;
use device_drivers::camera::Picture;
use kiosk_core::photo::Photo;
use kiosk_core::session::{Draft, PhotoStage, Session};
use kiosk_ui as ui;
use slint::{ComponentHandle, Image};

impl Screen {
    /// Shows the camera's newest picture, at once and without a look at the rest of the page.
    pub fn show_picture(&self, picture: &Picture) {
        let (width, height) = (picture.width(), picture.height());
        let image = self.pictures.borrow_mut().live(width, height, picture.rgb());
        let screen = self.window.global::<ui::PhotoScreen>();
        screen.set_picture(image);
        screen.set_seen(true);
    }

    pub(super) fn show_photos(&self, session: &Session, draft: &Draft, most: usize) {
        let photo = &draft.photo;
        let stage = photo.stage(most, session.surroundings.camera_present);
        let screen = self.window.global::<ui::PhotoScreen>();
        let live = matches!(stage, PhotoStage::Live | PhotoStage::Taking);
        let was_live = matches!(screen.get_stage(), ui::PhotoStage::Live | ui::PhotoStage::Taking);
        let mut hint = None;
        if let Some((fresh, doubt)) = &photo.fresh {
            screen.set_picture(self.view_of(fresh));
            screen.set_seen(true);
            hint = *doubt;
        } else if live {
            hint = photo.sees.flatten();
        }
        if !live {
            self.pictures.borrow_mut().end_live();
        }
        if photo.fresh.is_none() && (!live || !was_live) {
            screen.set_picture(Image::default());
            screen.set_seen(false);
        }
        screen.set_stage(stage_kind(stage));
        screen.set_looked(photo.sees.is_some());
        screen.set_hint(present::notice_kind(hint));
        screen.set_most(most as i32);
        self.photos.show(photo.kept.iter().map(|photo| self.view_of(photo)).collect());
        let fresh = photo.fresh.iter().map(|(photo, _)| photo);
        let names: Vec<&str> = photo.kept.iter().chain(fresh).map(|photo| photo.sha256.as_str()).collect();
        self.pictures.borrow_mut().keep_only(&names);
    }

    fn view_of(&self, photo: &Photo) -> Image {
        let view = &photo.view;
        let rgb = view.rgb.expose();
        self.pictures.borrow_mut().view(&photo.sha256, view.width, view.height, rgb)
    }

    /// Takes every picture out of the window and overwrites it.
    pub(super) fn forget_photos(&self) {
        let screen = self.window.global::<ui::PhotoScreen>();
        screen.set_picture(Image::default());
        screen.set_seen(false);
        screen.set_looked(false);
        screen.set_stage(ui::PhotoStage::Away);
        self.photos.show(Vec::new());
        let mut pictures = self.pictures.borrow_mut();
        pictures.end_live();
        pictures.keep_only(&[]);
    }
}

fn stage_kind(stage: PhotoStage) -> ui::PhotoStage {
    match stage {
        PhotoStage::Live => ui::PhotoStage::Live,
        PhotoStage::Taking => ui::PhotoStage::Taking,
        PhotoStage::Fresh => ui::PhotoStage::Fresh,
        PhotoStage::Full => ui::PhotoStage::Full,
        PhotoStage::Away => ui::PhotoStage::Away,
    }
}
