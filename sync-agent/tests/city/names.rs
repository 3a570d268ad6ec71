//! A name server of the test's own, and a cable that can be cut, so that a name is looked up again.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// The port of the domain name system; the C library asks at no other.
const PORT: u16 = 53;

/// What the name server says of any name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    /// This address.
    Is(Ipv4Addr),
    /// The same, after a while.
    Slowly(Ipv4Addr, Duration),
    /// There is no such name (NXDOMAIN).
    NotThere,
    /// It cannot tell (SERVFAIL).
    Failure,
    /// Bytes that are no answer.
    Nonsense,
    /// Nothing.
    Nothing,
}

#[derive(Default)]
struct Told {
    says: Option<Says>,
    questions: u32,
}

/// See the module. Lives as long as the process.
#[derive(Clone)]
pub struct NameServer {
    told: Arc<Mutex<Told>>,
    pub address: Ipv4Addr,
}

impl NameServer {
    /// One at an address of this machine's loopback that nobody else uses. Needs root, for the port.
    pub fn start() -> Self {
        let [a, b] = rand::random::<[u8; 2]>();
        let address = Ipv4Addr::new(127, 53, a, b.max(1));
        let socket = UdpSocket::bind((address, PORT))
            .expect("wrong names are tested with a name server, and that needs root for its port");
        let told = Arc::<Mutex<Told>>::default();
        let shared = Arc::clone(&told);
        std::thread::spawn(move || serve(&socket, &shared));
        Self { told, address }
    }

    pub fn says(&self, says: Says) {
        self.told.lock().unwrap().says = Some(says);
    }

    /// Questions so far.
    pub fn questions(&self) -> u32 {
        self.told.lock().unwrap().questions
    }

    /// The program, for which this is the only name server. Only it sees the changed files: it lives in a space of
    /// mounts of its own.
    pub fn run(&self, program: &str, config: &Path, folder: &Path) -> Child {
        let (resolv, order) = (folder.join("resolv.conf"), folder.join("nsswitch.conf"));
        std::fs::write(&resolv, format!("nameserver {}\noptions timeout:1 attempts:1\n", self.address))
            .unwrap();
        std::fs::write(&order, "hosts: files dns\n").unwrap();
        let script = "mount --bind \"$1\" /etc/resolv.conf && mount --bind \"$2\" /etc/nsswitch.conf \
                      && exec \"$0\" --config \"$3\"";
        Command::new("unshare")
            .args(super::road::as_root())
            .args(["--mount", "sh", "-c", script, program])
            .args([&resolv, &order, config])
            .env_remove("FAILPOINTS")
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }
}

fn serve(socket: &UdpSocket, told: &Mutex<Told>) {
    let mut question = [0; 512];
    while let Ok((length, from)) = socket.recv_from(&mut question) {
        let says = {
            let mut told = told.lock().unwrap();
            told.questions += 1;
            told.says
        };
        let (Some(answer), Ok(socket)) = (answer(&question[..length], says), socket.try_clone()) else {
            continue;
        };
        let Some(Says::Slowly(_, wait)) = says else {
            let _ = socket.send_to(&answer, from);
            continue;
        };
        std::thread::spawn(move || {
            std::thread::sleep(wait);
            let _ = socket.send_to(&answer, from);
        });
    }
}

/// A message of RFC 1035: the question again, and what is said of it.
fn answer(question: &[u8], says: Option<Says>) -> Option<Vec<u8>> {
    const HEADER: usize = 12;
    let name = question.get(HEADER..)?.iter().position(|byte| *byte == 0)? + 1;
    let asked = question.get(HEADER..HEADER + name + 4)?;
    let wants_ipv4 = asked[name..name + 2] == [0, 1];
    let (code, address) = match says? {
        Says::Is(address) | Says::Slowly(address, _) => (0, wants_ipv4.then_some(address)),
        Says::NotThere => (3, None),
        Says::Failure => (2, None),
        Says::Nonsense => return Some(vec![0xff; 40]),
        Says::Nothing => return None,
    };
    let mut message = question[..2].to_vec();
    message.extend([0x81, 0x80 | code, 0, 1, 0, u8::from(address.is_some()), 0, 0, 0, 0]);
    message.extend(asked);
    if let Some(address) = address {
        // The name is the one at offset 12; type A, class IN, kept for no second, four bytes.
        message.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4]);
        message.extend(address.octets());
    }
    Some(message)
}

/// Leads from an address to another, until it is cut.
pub struct Cable {
    cut: watch::Sender<u32>,
    pub address: SocketAddr,
}

impl Cable {
    /// From this address of the loopback, at the same port, to there.
    pub async fn lay(from: Ipv4Addr, port: u16, to: SocketAddr) -> Self {
        let listener = TcpListener::bind((IpAddr::V4(from), port)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (cut, mut heard) = watch::channel(0);
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    accepted = listener.accept() => {
                        let Ok((near, _)) = accepted else { return };
                        tokio::spawn(lead(near, to, heard.clone()));
                    }
                    // Without a hand that can cut it the cable is gone.
                    still = heard.changed() => if still.is_err() { return },
                }
            }
        });
        Self { cut, address }
    }

    /// Breaks every connection that goes over it; new ones can be made.
    pub fn cut(&self) {
        self.cut.send_modify(|cuts| *cuts += 1);
    }
}

async fn lead(mut near: TcpStream, to: SocketAddr, mut heard: watch::Receiver<u32>) {
    let Ok(mut far) = TcpStream::connect(to).await else { return };
    tokio::select! {
        _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
        _ = heard.changed() => {}
    }
}
