//! `devctl fault` against something that answers as the demo does.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread::JoinHandle;

use crate::run::run;

/// Answers one request, and gives back what it was: its first line and its body.
fn demo(status: &'static str, body: &'static str) -> (String, JoinHandle<(String, String)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let thread = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut heard = Vec::new();
        let (head, length) = loop {
            let mut bytes = [0; 1024];
            let count = stream.read(&mut bytes).unwrap();
            assert!(count > 0, "a whole request");
            heard.extend(&bytes[..count]);
            let text = String::from_utf8(heard.clone()).unwrap();
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let head = head.to_lowercase();
            let length = head.split("content-length: ").nth(1).unwrap().lines().next().unwrap();
            if body.len() == length.parse::<usize>().unwrap() {
                break (head, body.len());
            }
        };
        let length_of_answer = body.len();
        let head_of_answer = format!("HTTP/1.1 {status}\r\ncontent-length: {length_of_answer}\r\n\r\n");
        stream.write_all(format!("{head_of_answer}{body}").as_bytes()).unwrap();
        let body = String::from_utf8(heard[heard.len() - length..].to_vec()).unwrap();
        (head.lines().next().unwrap().to_owned(), body)
    });
    (address, thread)
}

#[test]
fn faults_reach_the_demo_as_its_page_sends_them() {
    for (arguments, request, body) in [
        ("id-card-reader stale", "post /api/devices/id-card-reader http/1.1", r#"{"fault":"stale"}"#),
        ("ups none plugged=true", "post /api/devices/ups http/1.1", r#"{"fault":null,"plugged":true}"#),
        (
            "receipt-printer paper-ends:120",
            "post /api/devices/receipt-printer http/1.1",
            r#"{"fault":{"name":"paper-ends","number":120}}"#,
        ),
        ("camera dark", "post /api/devices/camera http/1.1", r#"{"fault":"dark"}"#),
    ] {
        let (address, heard) = demo("200 OK", r#"{"ok":true}"#);
        run(&format!("fault {address} {arguments}")).good();
        assert_eq!(heard.join().unwrap(), (request.to_owned(), body.to_owned()));
    }
}

#[test]
fn a_demo_that_refuses_is_quoted_and_one_that_is_not_there_is_told() {
    let (address, heard) = demo("400 Bad Request", r#"{"error":"no fault is called flood"}"#);
    let told = run(&format!("fault {address} reader flood")).refused("look-at-page");
    heard.join().unwrap();
    assert!(told.errors.contains("no fault is called flood"), "{told:?}");
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    run(&format!("fault {free} reader stale")).refused("start-demo");
}
