//! HTTP/1.1 as a printer speaks it: one request at a time on a connection, and its answer.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;

/// The longest head of a request.
const MAX_HEAD: u64 = 16 * 1024;
/// The longest body of a request.
const MAX_BODY: usize = 64 * 1024 * 1024;

/// Reads the body of the next request; `None` when the host has hung up between two.
pub(super) fn read_request(stream: &mut BufReader<TcpStream>) -> io::Result<Option<Vec<u8>>> {
    let mut head = Vec::new();
    let mut limited = stream.by_ref().take(MAX_HEAD);
    loop {
        let start = head.len();
        if limited.read_until(b'\n', &mut head)? == 0 {
            return if head.is_empty() { Ok(None) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
        }
        if matches!(&head[start..], b"\r\n" | b"\n") {
            break;
        }
    }
    let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
    let value =
        |name: &str| head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim);
    if value("expect") == Some("100-continue") {
        stream.get_mut().write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    let body = match value("content-length").and_then(|length| length.parse().ok()) {
        Some(length) => read_exactly(stream, length)?,
        None if value("transfer-encoding") == Some("chunked") => read_chunks(stream)?,
        None => Vec::new(),
    };
    Ok(Some(body))
}

fn read_exactly(stream: &mut impl Read, length: usize) -> io::Result<Vec<u8>> {
    if length > MAX_BODY {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok(body)
}

fn read_chunks(stream: &mut BufReader<TcpStream>) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        stream.by_ref().take(64).read_line(&mut line)?;
        let size = line.trim().split(';').next().unwrap_or_default();
        let size = usize::from_str_radix(size, 16).map_err(|_| io::ErrorKind::InvalidData)?;
        if body.len() + size > MAX_BODY {
            return Err(io::ErrorKind::InvalidData.into());
        }
        body.extend(read_exactly(stream, size)?);
        stream.by_ref().take(64).read_line(&mut line)?;
        if size == 0 {
            return Ok(body);
        }
    }
}

/// A whole answer with its head.
pub(super) fn answer(status: u16, body: &[u8]) -> Vec<u8> {
    announced(status, body.len() as u64, body)
}

/// The beginning of an answer that announces more than anybody can hold.
pub(super) fn endless_answer(body: &[u8]) -> Vec<u8> {
    announced(200, 1 << 40, body)
}

fn announced(status: u16, length: u64, body: &[u8]) -> Vec<u8> {
    let (reason, elsewhere) = match status {
        200 => ("OK", ""),
        // To another printer, where a print-out must never go.
        300..=399 => ("Moved", "Location: http://127.0.0.1:9/ipp/print\r\n"),
        _ => ("Refused", ""),
    };
    let head = format!(
        "HTTP/1.1 {status} {reason}\r\n{elsewhere}Content-Type: application/ipp\r\nContent-Length: {length}\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}
