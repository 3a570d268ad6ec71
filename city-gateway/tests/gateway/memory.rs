//! Little memory: terminals together cannot make the gateway take more than its configuration says, and a gateway that is
//! ended for want of memory keeps what it gave receipts for. The limit is the kernel's, set on the true program while it
//! runs (RLIMIT_DATA, which counts private writable memory); an allocation above it fails, and the program aborts.

use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, prlimit};
use sync_protocol::RecordKind;
use tokio::io::AsyncWriteExt;

use crate::program::Program;
use crate::support::{City, Terminal, case_id};

/// What the gateway may take beyond what it has when nothing is to be done, in bytes: the smallest room for bodies that
/// can be configured (16 MiB), each also decoded and on its way into the store.
const ENOUGH: u64 = 128 * 1024 * 1024;
/// Less than one large record needs.
const TOO_LITTLE: u64 = 3 * 1024 * 1024;
/// A large record, in bytes.
const LARGE: usize = 6_000_000;

fn start(city: &mut City) -> Program {
    let config = city.path("gateway.toml");
    let text = "[listen]\nterminals = \"127.0.0.1:0\"\ncity = \"127.0.0.1:0\"\n\
                [paths]\nstate = \"state\"\nkeys = \"keys\"\ncatalog = \"catalog\"\n\
                [enrolment]\ntrust_unlisted = true\n[limits]\nbodies_mib = 16\nblob_bodies_mib = 8\n";
    std::fs::write(&config, text).unwrap();
    let program = Program::with(&config, "info");
    city.outside = Some(program.terminals);
    program
}

/// Private writable memory of a process, in bytes.
fn takes(program: &Program) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", program.child.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmData:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

fn may_take(program: &Program, more: u64) {
    let limit = Some(takes(program) + more);
    let limit = Rlimit { current: limit, maximum: limit };
    prlimit(Some(Pid::from_child(&program.child)), Resource::Data, limit).unwrap();
}

/// A terminal with a record of this many bytes; whether it got its receipt.
async fn puts_large(city: &City, terminal: &Terminal, seq: u64) -> bool {
    let content = vec![b'x'; LARGE];
    let (manifest, record) = terminal.sealed(seq, RecordKind::Case, &content);
    let url = city.url(&format!("/v1/records/{}", manifest.case_id));
    let call = terminal.client.put(url).header("content-type", "application/json").body(record.to_json());
    matches!(call.send().await, Ok(answer) if answer.status() == 200)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn terminals_together_cannot_fill_the_memory() {
    let mut city = City::prepare();
    let mut program = start(&mut city);
    let first = city.terminal("DG0001");
    let (manifest, record) = first.case(1);
    first.deliver(&city, &manifest, &record).await;
    may_take(&program, ENOUGH);

    // Many who announce the largest body there may be, and send it slowly or never.
    let mut slow = Vec::new();
    for at in 0..24 {
        let mut line = city.terminal(&format!("DG1{at:03}")).connect_to(program.terminals).await;
        let path = format!("/v1/records/{}", case_id(1));
        let head = format!("PUT {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n");
        let body = "content-length: 11000000\r\n\r\n{\"manifest\":\"";
        line.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
        slow.push(line);
    }
    // And many who send a large one at once.
    let terminals: Vec<Terminal> = (0..12).map(|at| city.terminal(&format!("DG2{at:03}"))).collect();
    let city = &city;
    let all = terminals.iter().map(async |terminal| puts_large(city, terminal, 1).await);
    futures_util::future::join_all(all).await;
    // Hello goes first all the same.
    first.hello(city).await;
    assert!(program.child.try_wait().unwrap().is_none(), "the gateway did not live through it");
    drop(slow);
    // Everybody comes again and is served.
    let deadline = Instant::now() + Duration::from_secs(60);
    for terminal in &terminals {
        while !puts_large(city, terminal, 1).await {
            assert!(Instant::now() < deadline, "a large record is never taken");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    assert!(program.child.try_wait().unwrap().is_none(), "the gateway did not live through it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_without_memory_is_started_again_and_has_what_it_gave_receipts_for() {
    let mut city = City::prepare();
    let terminal = city.terminal("DG0001");
    let mut received = 0;
    for _ in 0..3 {
        let mut program = start(&mut city);
        for _ in 0..3 {
            received += 1;
            let (manifest, record) = terminal.case(received);
            terminal.deliver(&city, &manifest, &record).await;
        }
        may_take(&program, TOO_LITTLE);
        let deadline = Instant::now() + Duration::from_secs(60);
        while program.child.try_wait().unwrap().is_none() {
            assert!(Instant::now() < deadline, "it lives with too little");
            let refused = !puts_large(&city, &terminal, 1000).await;
            assert!(refused, "a large record was taken with too little memory");
        }
    }
    let _program = start(&mut city);
    assert_eq!(terminal.hello(&city).await.received, [(1, received)]);
    assert!(puts_large(&city, &terminal, 1000).await, "and takes the large one now");
}
