//! Two gateway processes on one database hand cases on; one is killed in the middle. Every case arrives, and by its id
//! its department does it once.

use std::collections::BTreeSet;
use std::path::PathBuf;

use city_gateway::test_cluster::Cluster;
use sync_protocol::DeliveryNote;

use crate::department::{Department, Mood, until};
use crate::desk::DEPARTMENT;
use crate::program::Program;
use crate::support::{City, case_id};

const CASES: u64 = 30;

fn configuration(city: &City, database: &str, name: &str, department: &Department) -> PathBuf {
    let path = city.path(&format!("{name}.toml"));
    std::fs::write(city.path("csb.pub"), &department.seal.recipient).unwrap();
    let text = format!(
        "[listen]\nterminals = \"127.0.0.1:0\"\ncity = \"127.0.0.1:0\"\n\
         [paths]\nstate = \"{name}\"\nkeys = \"keys\"\ncatalog = \"catalog\"\n\
         [store]\nkind = \"postgres\"\naddress = \"{database}\"\n\
         [blobs]\nfolder = \"blobs\"\n\
         [enrolment]\ntrust_unlisted = true\n\
         [relay]\ntimeout_seconds = 1\nlease_seconds = 7\nfirst_wait_ms = 5\nlongest_wait_ms = 50\nlook_ms = 20\n\
         [[relay.department]]\ncode = \"csb\"\nnames = [\"{DEPARTMENT}\"]\nseal_to = \"csb.pub\"\n\
         way = {{ kind = \"webhook\", url = \"https://localhost:{}/cases\", ca = \"server-ca.pem\" }}\n",
        department.address.port()
    );
    std::fs::write(&path, text).unwrap();
    path
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_is_killed_in_the_middle_loses_no_case() {
    let mut city = City::prepare();
    let database = Cluster::shared().database().unwrap();
    let name = database.rsplit('=').next().unwrap();
    let ask = |sql: &str| tokio::task::block_in_place(|| Cluster::shared().psql(name, sql)).unwrap();
    let department = Department::start(&city).await;
    // The department reads everything and says nothing: whatever is sent is in hand when its gateway is killed.
    department.feels([Mood::Silent]);
    let [one, other] = ["one", "other"].map(|name| configuration(&city, &database, name, &department));
    let killed = tokio::task::block_in_place(|| Program::with(&one, "info"));
    city.outside = Some(killed.terminals);
    let terminal = city.terminal("DG0001");
    for seq in 1..=CASES {
        let (manifest, record) = terminal.case(seq);
        terminal.deliver(&city, &manifest, &record).await;
    }
    until("cases are in hand", async || department.seen().len() >= 3).await;
    drop(killed);
    let leased = "SELECT count(*) FROM relay_outbox WHERE leased_until > now()";
    assert_ne!(ask(leased), "0", "the gateway was not in the middle of anything");
    // The answer to what was in hand is lost, whether or not the department stored it: it loses some answers still.
    let lost = std::iter::repeat_n(Mood::LosesAnswer, 5);
    department.feels(lost.chain([Mood::Takes]));
    let going_on = tokio::task::block_in_place(|| Program::with(&other, "info"));
    let owed = "SELECT (SELECT count(*) FROM handling WHERE state <> 'opened') + (SELECT count(*) FROM relay_outbox)";
    until("nothing is owed", async || ask(owed) == "0").await;
    let wanted: BTreeSet<String> =
        (1..=CASES).map(|seq| DeliveryNote::id_of("DG0001", &case_id(seq))).collect();
    assert_eq!(department.stored().into_iter().collect::<BTreeSet<_>>(), wanted);
    assert!(department.stored.lock().unwrap().values().any(|times| *times > 1));
    let books = "SELECT (SELECT count(*) FROM inbox), (SELECT count(*) FROM relayed), (SELECT count(DISTINCT seq) FROM relayed)";
    assert_eq!(ask(books), format!("{CASES}|{CASES}|{CASES}"));
    drop(going_on);
}
