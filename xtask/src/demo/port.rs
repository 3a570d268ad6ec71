//! Who answers on a port of this machine: nobody, a demo, or another program.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

/// How long a demo may take to answer; a program that takes longer is called another one.
const PATIENCE: Duration = Duration::from_secs(2);
/// More than a demo's description of itself ever needs.
const LONGEST_ANSWER_BYTES: u64 = 256 * 1024;

/// Who has the port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Nobody: it can be used.
    Free,
    /// A simulator of this project.
    Demo,
    /// Something else, or something that does not answer.
    Other,
}

/// Looks who has the port. It takes the port for a moment, so never while a simulator is starting.
pub fn look(port: u16) -> Answer {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Ok(_) => Answer::Free,
        Err(error) if error.kind() == ErrorKind::AddrInUse && is_demo(port) => Answer::Demo,
        Err(_) => Answer::Other,
    }
}

/// Whether a demo answers on the port; only asks.
pub fn is_demo(port: u16) -> bool {
    ask(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).unwrap_or(false)
}

/// Asks for the state that only a simulator gives.
fn ask(address: SocketAddr) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let request = format!("GET /api/state HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    // Another program may hang up in the middle; what it said until then is enough to judge.
    let _ = stream.take(LONGEST_ANSWER_BYTES).read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer);
    Ok(answer.starts_with("HTTP/1.1 200") && answer.contains("\"processes\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A program that gives one fixed answer to whoever connects.
    fn program(answer: &'static str) -> u16 {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            while let Ok((mut stream, _)) = listener.accept() {
                let _ = stream.read(&mut [0; 1024]);
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        port
    }

    #[test]
    fn a_demo_is_told_from_another_program() {
        let demo = program("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"processes\": []}");
        assert_eq!(look(demo), Answer::Demo);
        assert_eq!(look(program("HTTP/1.1 200 OK\r\n\r\n<html>")), Answer::Other);
        assert_eq!(look(program("220 mail\r\n")), Answer::Other);
    }

    #[test]
    fn a_port_that_nobody_has_is_free() {
        let released = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        // Another program may take a released port at once, but not each of twenty.
        assert!((0..20).any(|_| look(released()) == Answer::Free));
    }
}
