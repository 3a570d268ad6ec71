//! A photo that a resident took of a paper. It is personal data as a whole, and lives in the session alone until the case
//! is sealed.

use crate::private::Private;
use std::sync::Arc;

/// A photo. Copies share its bytes, which are overwritten when the last copy goes.
#[derive(Clone, Debug, PartialEq)]
pub struct Photo {
    /// Lower-case hex SHA-256 of the file: what the sealed answers call it.
    pub sha256: String,
    /// The file: a JPEG that says nothing but its picture.
    pub jpeg: Arc<Private<Vec<u8>>>,
    /// A smaller picture of it, for the screen.
    pub view: Arc<PhotoView>,
}

/// Pixels for the screen: rows from the top, three bytes (red, green, blue) a pixel.
#[derive(Debug, PartialEq)]
pub struct PhotoView {
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// `width` · `height` · 3 bytes.
    pub rgb: Private<Vec<u8>>,
}

impl Photo {
    /// Size of the file in bytes.
    pub fn bytes(&self) -> u64 {
        self.jpeg.expose().len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_pixel() {
        let rgb = Private::new(vec![201, 202, 203]);
        let view = Arc::new(PhotoView { width: 1, height: 1, rgb });
        let photo = Photo { sha256: "ab".into(), jpeg: Arc::new(Private::new(vec![204])), view };
        let shown = format!("{photo:?}");
        assert!((201..205).all(|byte| !shown.contains(&byte.to_string())), "{shown}");
        assert_eq!(photo.bytes(), 1);
    }
}
