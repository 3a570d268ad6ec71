//! The files of the folder of keys, written so that a power cut leaves the old one or the new one.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The terminal's key.
pub(crate) const KEY: &str = "terminal.key.pem";
/// The terminal's certificate.
pub(crate) const CERTIFICATE: &str = "terminal.cert.pem";
/// The one before it.
pub(crate) const PREVIOUS_CERTIFICATE: &str = "terminal.cert.previous.pem";
/// The city's authorities, as they were when the terminal was made.
pub(crate) const CITY_CA: &str = "city-ca.pem";
/// The city's statement of its authorities since.
pub(crate) const ANCHORS: &str = "city-anchors.jws";
/// The key that signs receipts and that statement.
pub(crate) const RECEIPT_KEY: &str = "city-receipt.pub.pem";
/// A voucher for enrolment.
pub(crate) const VOUCHER: &str = "voucher";

/// Writes a file that only its owner can read; when this returns it is on disk under its name.
pub(crate) fn write(folder: &Path, name: &str, contents: &[u8]) -> io::Result<()> {
    let staged = folder.join(format!("{name}.new"));
    // One that a power cut left may be short, and its mode is nobody's promise.
    match fs::remove_file(&staged) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&staged)?;
    file.write_all(contents)?;
    file.sync_all()?;
    fs::rename(&staged, folder.join(name))?;
    File::open(folder)?.sync_all()
}

/// Puts a new certificate in place of the present one, which is kept.
pub(crate) fn replace_certificate(folder: &Path, pem: &str) -> io::Result<()> {
    match fs::read(folder.join(CERTIFICATE)) {
        Ok(present) => write(folder, PREVIOUS_CERTIFICATE, &present)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    write(folder, CERTIFICATE, pem.as_bytes())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_certificate_is_replaced_and_the_one_before_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        // Left by a power cut, readable by all: neither in the way nor taken over.
        let staged = folder.path().join("terminal.cert.pem.new");
        fs::write(&staged, "torn").unwrap();
        fs::set_permissions(&staged, fs::Permissions::from_mode(0o644)).unwrap();
        for pem in ["one", "two", "three"] {
            replace_certificate(folder.path(), pem).unwrap();
        }
        let read = |name| fs::read_to_string(folder.path().join(name)).unwrap();
        assert_eq!((read(CERTIFICATE), read(PREVIOUS_CERTIFICATE)), ("three".into(), "two".into()));
        let mode = fs::metadata(folder.path().join(CERTIFICATE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(!staged.exists());
    }
}
