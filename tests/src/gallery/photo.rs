//! A photo question in pictures: without a camera, live, looked at, and with photos that are kept. Papers are the
//! simulator's: strokes where words would be.

use super::Visitor;
use device_drivers::camera::simulator::{Laid, Scene, card, drawn, paper};
use device_drivers::camera::{Picture, keep};
use kiosk_core::photo::{Photo, PhotoView};
use kiosk_core::private::Private;
use kiosk_core::remedy::Notice;
use kiosk_core::session::{Citizen, Device, Effect, Event, Ticket};
use std::sync::Arc;

const SIZE: (u32, u32) = (1280, 720);

impl Visitor {
    /// Everything that the page of a photo question can show; two photos are kept at the end.
    pub(super) fn photograph(&mut self, question: &str, show: &mut impl FnMut(&str, &Visitor)) {
        // The item before may have left it on.
        self.send(Event::Device(Device::CameraPresent(false)));
        show(&format!("{question}-away"), self);
        self.send(Event::Device(Device::CameraPresent(true)));
        let preview = self.preview();
        let laid = Laid { turned: 4.0, ..Laid::straight(paper(800), SIZE, 400.0) };
        self.live = Some(drawn(&Scene::with(SIZE.0, SIZE.1, laid)));
        self.send(Event::Device(Device::CameraSees(preview, Some(Notice::MaterialGlare))));
        show(&format!("{question}-glare"), self);
        self.take(card(640), None);
        show(&format!("{question}-fresh"), self);
        self.touch(Citizen::PhotoKept);
        // Some items take one photo, some two, some three.
        if self.session.shows_live() {
            self.take(paper(480), Some(Notice::MaterialLayFlat));
            show(&format!("{question}-doubt"), self);
            self.touch(Citizen::PhotoKept);
        }
        if self.session.shows_live() {
            let preview = self.preview();
            self.send(Event::Device(Device::CameraSees(preview, None)));
        }
    }

    fn preview(&self) -> Ticket {
        self.ticket(|effect| match effect {
            Effect::StartPreview(ticket) => Some(*ticket),
            _ => None,
        })
    }

    fn take(&mut self, picture: Picture, doubt: Option<Notice>) {
        self.touch(Citizen::PhotoWanted);
        let ticket = self.ticket(|effect| match effect {
            Effect::TakePhoto(ticket) => Some(*ticket),
            _ => None,
        });
        self.send(Event::Device(Device::PhotoTaken { ticket, photo: photo(&picture), doubt }));
    }
}

/// A photo of a paper.
pub(super) fn sample() -> Photo {
    photo(&paper(480))
}

fn photo(picture: &Picture) -> Photo {
    let jpeg = keep(picture, 512 * 1024).expect("a small picture fits").jpeg.to_vec();
    let rgb = Private::new(picture.rgb().to_vec());
    let view = PhotoView { width: picture.width(), height: picture.height(), rgb };
    let sha256 = sync_protocol::sha256_hex(&jpeg);
    Photo { sha256, jpeg: Arc::new(Private::new(jpeg)), view: Arc::new(view) }
}
