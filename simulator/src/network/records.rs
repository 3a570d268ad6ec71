//! Follows the TLS record headers of one direction, without any key, to know when the handshake is over.
//!
//! A record is a type byte, a version, a length and that many bytes. The client's first record of type
//! *application data* is either its last handshake message (TLS 1.3) or its first request (TLS 1.2): from there
//! on nothing the server says is needed for the request to arrive.

/// Content type of application data (RFC 8446, 5.1).
const APPLICATION_DATA: u8 = 23;

/// Position inside the record stream of one direction.
#[derive(Default)]
pub struct RecordTracker {
    header: Vec<u8>,
    remaining: usize,
    seen: bool,
}

impl RecordTracker {
    /// Takes the next bytes of the stream.
    pub fn feed(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && !self.seen {
            if self.remaining > 0 {
                let skipped = self.remaining.min(bytes.len());
                self.remaining -= skipped;
                bytes = &bytes[skipped..];
                continue;
            }
            self.header.push(bytes[0]);
            bytes = &bytes[1..];
            if self.header.len() == 5 {
                self.seen = self.header[0] == APPLICATION_DATA;
                self.remaining = usize::from(u16::from_be_bytes([self.header[3], self.header[4]]));
                self.header.clear();
            }
        }
    }

    /// Whether application data has begun.
    pub fn handshake_is_over(&self) -> bool {
        self.seen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_application_data_however_the_bytes_are_cut() {
        let mut stream = vec![22, 3, 1, 0, 3, 23, 23, 23];
        stream.extend([20, 3, 3, 0, 1, 1]);
        let handshake = stream.len();
        stream.extend([23, 3, 3, 0, 2, 0, 0]);
        for piece in 1..stream.len() {
            let mut tracker = RecordTracker::default();
            for (index, chunk) in stream.chunks(piece).enumerate() {
                tracker.feed(chunk);
                let fed = (index * piece + chunk.len()).min(stream.len());
                assert_eq!(tracker.handshake_is_over(), fed >= handshake + 5, "cut every {piece}, fed {fed}");
            }
        }
    }
}
