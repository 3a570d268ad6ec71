//! `devctl vendor` where there is no `device-host`, no library, or a wrong call. What a library answers through the true
//! `device-host` is tested there, where that program is built.

use crate::run::run;

#[test]
fn without_device_host_the_library_is_gone() {
    run("vendor --host /nonexistent/device-host --library /nonexistent/lib.so identify")
        .refused("call-operator vendor-gone");
    // Beside this program there is none in a library's own tests, or one that finds no such library.
    run("vendor --library /nonexistent/lib.so call decode-photo").refused("call-operator vendor-gone");
}

#[test]
fn a_host_that_says_nothing_of_its_own_is_lost() {
    run("vendor --host /bin/true --library /nonexistent/lib.so identify").refused("retry");
}

#[test]
fn wrong_calls_are_told() {
    let host = "vendor --host /bin/true --library /nonexistent/lib.so";
    run(&format!("{host} call")).misused();
    run(&format!("{host} call seven")).misused();
    run(&format!("{host} --settings /nonexistent/settings identify")).misused();
    run("vendor identify").misused();
}
