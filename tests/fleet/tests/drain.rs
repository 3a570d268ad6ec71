//! A small fleet against the true gateway program: everything arrives, once, and sessions are resumed. No times.

use std::time::Duration;

use kiosk_fleet::city::Size;
use kiosk_fleet::herd::{Options, run};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fleet_comes_back_and_nothing_is_lost() {
    let options = Options {
        terminals: 300,
        cases: 3,
        cap: Duration::from_secs(10),
        idle: Duration::from_secs(2),
        size: Size::Small,
    };
    // What the city holds, that the opener took it, and that nothing lies aside, is checked there.
    let report = run(options, |line| println!("{line}")).await.unwrap();
    assert_eq!(report.delivered, 900);
    assert_eq!(report.by_second.iter().sum::<u64>(), 900);
    let [full, resumed] = report.handshakes;
    assert_eq!(full, 0, "{resumed} sessions were resumed");
    assert!(resumed >= 300);
    assert!(report.passed.hellos >= 300);
}
