//! Calls for a keeper, from the terminal's question to the page in the village hall: who sees them, who may answer, and
//! what is written down of it.

use sync_protocol::{AnswerBody, KeeperCall, KeeperCallState, QuestionBody};

use crate::desk::DEPARTMENT;
use crate::operators::{Browser, Operator};
use crate::query::Session;
use crate::support::{City, ITEM, Terminal};

fn call(name: &str) -> KeeperCall {
    KeeperCall {
        call: name.into(),
        place: "示例社区<b>服务中心".into(),
        page: "question".into(),
        item: ITEM.into(),
        language: "en".into(),
        theme: "senior".into(),
    }
}

struct Kiosk<'a> {
    city: &'a City,
    terminal: Terminal,
    session: Session,
}

impl<'a> Kiosk<'a> {
    fn new(city: &'a City, code: &str) -> Self {
        Self { city, terminal: city.terminal(code), session: Session::new() }
    }

    async fn said(&self, question: QuestionBody) -> Option<KeeperCallState> {
        match self.session.ask(self.city, &self.terminal, question).await {
            AnswerBody::KeeperCall { state } => Some(state),
            _ => None,
        }
    }

    async fn ring(&self, name: &str) -> Option<KeeperCallState> {
        self.said(QuestionBody::CallKeeper(call(name))).await
    }

    async fn state(&self, name: &str) -> Option<KeeperCallState> {
        self.said(QuestionBody::CallKeeperState { call: name.into() }).await
    }

    async fn cancel(&self, name: &str) -> Option<KeeperCallState> {
        self.said(QuestionBody::CallKeeperCancelled { call: name.into() }).await
    }
}

fn keeper(city: &City, name: &str, sites: &str) -> Operator {
    Operator::add_with(city, name, &["--role", "site_keeper", "--sites", sites])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_keeper_sees_the_calls_of_their_own_terminals_and_nothing_of_cases() {
    let mut city = City::prepare();
    let (mut li, mut wu) = (keeper(&city, "li", "DG0001,DG0002"), keeper(&city, "wu", "dg0003"));
    let mut worker = Operator::add(&city, "worker", "department_worker", Some(DEPARTMENT));
    let mut audit = Operator::add(&city, "audit", "auditor", None);
    city.restart().await;
    let (lis, wus) = (Browser::signed_in(&city, &mut li).await, Browser::signed_in(&city, &mut wu).await);
    let kiosk = Kiosk::new(&city, "DG0001");
    assert_eq!(kiosk.ring("run-1").await, Some(KeeperCallState::Ringing));
    // Who keeps other terminals hears nothing, and makes nobody believe that it was heard.
    assert!(wus.get("/keeper/").await.html.contains("data-ringing=\"0\""));
    assert_eq!(kiosk.state("run-1").await, Some(KeeperCallState::Ringing));
    let page = lis.get("/keeper/").await;
    assert_eq!(page.status, 200);
    for words in ["示例社区&lt;b&gt;服务中心", "DG0001", "在回答问题", "长辈版", "English 界面", "我来了"]
    {
        assert!(page.html.contains(words), "{words}: {}", page.html);
    }
    assert!(!page.html.contains("<b>服务"), "escaped");
    assert_eq!(kiosk.state("run-1").await, Some(KeeperCallState::Heard));
    assert_eq!(kiosk.ring("run-1").await, Some(KeeperCallState::Heard), "the same call");

    for path in ["/desk/", "/desk/troubles", "/desk/terminals", "/desk/accounts", "/desk/audit"] {
        assert_eq!(lis.get(path).await.status, 403, "{path}");
    }
    let workers = Browser::signed_in(&city, &mut worker).await;
    for path in ["/keeper/", "/keeper/part"] {
        assert_eq!(workers.get(path).await.status, 403, "{path}");
    }
    // Not theirs, not ours, not there: nobody comes.
    let fields = [("terminal", "DG0001"), ("call", "run-1")];
    assert_eq!(wus.submit("/desk/password", "/keeper/answer", &fields).await.status, 404);
    assert_eq!(workers.submit("/desk/", "/keeper/answer", &fields).await.status, 403);
    assert_eq!(lis.post("/keeper/answer", &fields).await.status, 403, "without the token of a form");
    let foreign = Browser { origin: Some("https://evil.example".into()), ..lis.clone() };
    assert_eq!(foreign.submit("/keeper/", "/keeper/answer", &fields).await.status, 403);
    assert_eq!(kiosk.state("run-1").await, Some(KeeperCallState::Heard));

    let answered = lis.submit("/keeper/", "/keeper/answer", &fields).await;
    assert_eq!((answered.status, answered.location.as_str()), (303, "/keeper/"));
    assert_eq!(kiosk.state("run-1").await, Some(KeeperCallState::Coming));
    assert!(lis.get("/keeper/").await.html.contains("li 已答应过去"));
    assert_eq!(lis.submit("/keeper/", "/keeper/answer", &fields).await.status, 303, "told who was first");
    assert_eq!(kiosk.cancel("run-1").await, Some(KeeperCallState::Over));
    assert_eq!(lis.submit("/keeper/", "/keeper/answer", &fields).await.status, 404, "over");

    let lines = Browser::signed_in(&city, &mut audit).await.get("/desk/audit").await.html;
    assert!(lines.contains("答应求助") && lines.contains("DG0001/run-1") && lines.contains("after "));
    assert_eq!(lines.matches("答应求助").count(), 1, "one line for one answer");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_are_cancelled_replaced_limited_and_each_terminals_own() {
    let city = City::start().await;
    let (kiosk, other) = (Kiosk::new(&city, "DG0001"), Kiosk::new(&city, "DG0002"));
    assert_eq!(kiosk.cancel("run-0").await, Some(KeeperCallState::Over), "the end came first");
    assert_eq!(kiosk.ring("run-0").await, Some(KeeperCallState::Over));
    assert_eq!(kiosk.ring("run-1").await, Some(KeeperCallState::Ringing));
    assert_eq!(other.state("run-1").await, Some(KeeperCallState::Over), "somebody else's");
    assert_eq!(other.cancel("run-1").await, Some(KeeperCallState::Over));
    assert_eq!(kiosk.state("run-1").await, Some(KeeperCallState::Ringing));
    assert_eq!(kiosk.ring("run-2").await, Some(KeeperCallState::Ringing));
    assert_eq!(kiosk.state("run-1").await, Some(KeeperCallState::Over), "one of each terminal");
    for bad in ["", "no name", "名字"] {
        assert_eq!(kiosk.ring(bad).await, None, "{bad}");
    }
    let mut taken = 0;
    for n in 3..30 {
        taken += usize::from(kiosk.ring(&format!("run-{n}")).await.is_some());
    }
    assert!((1..10).contains(&taken), "again and again is too often: {taken}");
    assert!(other.ring("run-1").await.is_some(), "but for others");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_the_open_feed_anybody_on_the_machine_answers_and_without_it_nobody() {
    let mut city = City::prepare();
    let mut config = city.config();
    config.city.open_feed = false;
    city.restart_with(config).await;
    let stranger = Browser::new(&city);
    assert_eq!(stranger.get("/keeper/").await.location, "/desk/sign-in");
    assert_eq!(stranger.get("/keeper/part").await.location, "/desk/sign-in");
    let fields = [("terminal", "DG0001"), ("call", "run-1")];
    assert_eq!(stranger.post("/keeper/answer", &fields).await.location, "/desk/sign-in");

    city.restart().await;
    let visitor = Browser::new(&city);
    let kiosk = Kiosk::new(&city, "DG0001");
    kiosk.ring("run-1").await;
    assert!(visitor.get("/keeper/part").await.html.contains("data-ringing=\"1\""));
    let elsewhere = Browser { origin: Some("https://evil.example".into()), ..visitor.clone() };
    assert_eq!(elsewhere.post("/keeper/answer", &fields).await.status, 403);
    assert_eq!(visitor.post("/keeper/answer", &fields).await.status, 303);
    assert_eq!(kiosk.state("run-1").await, Some(KeeperCallState::Coming));
    // A call outlives the gateway.
    city.restart().await;
    let kiosk = Kiosk::new(&city, "DG0001");
    assert_eq!(kiosk.state("run-1").await, Some(KeeperCallState::Coming));
}
