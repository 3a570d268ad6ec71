//! The operators' pages: signing in, forms that only our own pages can send, and who sees what.

use city_gateway::CityTls;

use crate::operators::{Browser, CHOSEN, Operator, command};
use crate::support::City;

/// The department of the item in `item.toml`.
pub const DEPARTMENT: &str = "测试办";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_sign_in_ends_with_a_password_of_ones_own() {
    let mut city = City::prepare();
    let mut chen = Operator::add(&city, "chen", "support", None);
    city.restart().await;
    let mut browser = Browser::new(&city);
    assert_eq!(browser.get("/desk/").await.location, "/desk/sign-in");
    let (given, code) = (chen.password.clone(), chen.code());
    let page = browser.try_sign_in("chen", &given, &code).await;
    let cookie = page.cookie.unwrap();
    for part in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    // Nothing but the page for the new password.
    assert_eq!(browser.get("/desk/").await.location, "/desk/password");
    assert_eq!(browser.get("/desk/troubles").await.location, "/desk/password");
    let change = |current: &str, new: &str, again: &str| {
        let (browser, fields) = (browser.clone(), [current, new, again].map(str::to_owned));
        async move {
            let fields = [("current", &*fields[0]), ("new", &*fields[1]), ("again", &*fields[2])];
            browser.submit("/desk/password", "/desk/password", &fields).await
        }
    };
    assert_eq!(change("wrong", CHOSEN, CHOSEN).await.status, 422);
    assert_eq!(change(&given, CHOSEN, "other").await.status, 422);
    assert_eq!(change(&given, "short", "short").await.status, 422);
    assert_eq!(change(&given, &given, &given).await.status, 422);
    let changed = change(&given, CHOSEN, CHOSEN).await;
    assert_eq!((changed.status, changed.location.as_str()), (303, "/desk/"));
    // The session that changed it has ended too; the new one goes on.
    assert_eq!(browser.get("/desk/").await.location, "/desk/sign-in");
    browser.cookie = Some(changed.cookie.unwrap().split(';').next().unwrap().to_owned());
    assert_eq!(browser.get("/desk/").await.status, 200);

    // The given password is worth nothing any more, and no code works twice.
    let mut other = Browser::new(&city);
    let same = chen.same_code();
    assert_eq!(other.try_sign_in("chen", CHOSEN, &same).await.status, 401);
    assert_eq!(other.try_sign_in("chen", &given, &chen.code()).await.status, 401);

    let left = browser.submit("/desk/", "/desk/sign-out", &[]).await;
    assert!(left.cookie.unwrap().contains("Max-Age=0"));
    assert_eq!(browser.get("/desk/").await.location, "/desk/sign-in");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_learns_which_accounts_there_are() {
    let mut city = City::prepare();
    let mut chen = Operator::add(&city, "chen", "support", None);
    city.restart().await;
    let mut browser = Browser::new(&city);
    let password = chen.password.clone();
    let good_code = chen.code();
    let mut answers = Vec::new();
    for (name, password, code) in [
        ("nobody", password.as_str(), good_code.as_str()),
        ("chen", "not the password", good_code.as_str()),
        ("chen", password.as_str(), "000000"),
        ("", "", ""),
        (&"x".repeat(5_000), "x", "x"),
    ] {
        let page = browser.try_sign_in(name, password, code).await;
        assert!(page.cookie.is_none());
        answers.push((page.status, page.html));
    }
    assert!(answers.iter().all(|answer| answer.0 == 401 && *answer == answers[0]));
    // Wrong tries at a right password did not use the code up.
    assert_eq!(browser.try_sign_in("chen", &password, &good_code).await.status, 303);
    // One after the other becomes slow, for accounts that are there and for those that are not.
    for name in ["chen", "nobody"] {
        let mut waits = false;
        for _ in 0..6 {
            let page = browser.try_sign_in(name, "guess", "000000").await;
            waits |= page.status == 429 && page.html.contains("秒后再试");
        }
        assert!(waits, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forged_cookies_and_foreign_forms_do_nothing() {
    let mut city = City::prepare();
    let mut admin = Operator::add(&city, "root.li", "administrator", None);
    city.restart().await;
    let browser = Browser::signed_in(&city, &mut admin).await;
    let real = browser.cookie.clone().unwrap();
    for forged in [
        String::new(),
        "desk=".into(),
        format!("desk={}", "A".repeat(43)),
        format!("{}x", real),
        format!("{real}; {real}"),
        real[..real.len() - 1].to_owned(),
        "desk=' OR 1=1 --".into(),
        format!("desk={}", "A".repeat(4_000)),
    ] {
        let other = Browser { cookie: Some(forged.clone()), ..browser.clone() };
        assert_eq!(other.get("/desk/accounts").await.location, "/desk/sign-in", "{forged}");
    }

    let token = browser.token("/desk/accounts").await;
    let fields = |token: &str| {
        [("name", "evil".to_owned()), ("role", "administrator".into()), ("form_token", token.to_owned())]
    };
    let add = |browser: Browser, token: String| async move {
        let fields = fields(&token);
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        browser.post("/desk/accounts/add", &fields).await.status
    };
    for origin in [None, Some("null"), Some("https://evil.example"), Some("http://127.0.0.1:1")] {
        let other = Browser { origin: origin.map(str::to_owned), ..browser.clone() };
        assert_eq!(add(other, token.clone()).await, 403, "{origin:?}");
    }
    for wrong in ["", "x", &token[1..]] {
        assert_eq!(add(browser.clone(), wrong.to_owned()).await, 403, "{wrong}");
    }
    let nobody = Browser { cookie: None, ..browser.clone() };
    assert_eq!(add(nobody, token.clone()).await, 303);
    assert!(!browser.get("/desk/accounts").await.html.contains("evil"));
    assert_eq!(add(browser.clone(), token).await, 200);
    assert!(browser.get("/desk/accounts").await.html.contains("evil"));
    // Far too long, and not a form at all.
    assert_eq!(browser.post("/desk/accounts/add", &[("name", &"x".repeat(20_000))]).await.status, 400);
    assert_eq!(browser.get("/desk/accounts/add").await.status, 405);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_has_their_own_pages() {
    let mut city = City::prepare();
    let mut operators = [
        Operator::add(&city, "admin", "administrator", None),
        Operator::add(&city, "audit", "auditor", None),
        Operator::add(&city, "worker", "department_worker", Some(DEPARTMENT)),
        Operator::add(&city, "help", "support", None),
    ];
    city.restart().await;
    let pages = ["/desk/", "/desk/troubles", "/desk/accounts", "/desk/audit"];
    let table = [[200, 200, 200, 403], [200, 403, 403, 200], [200, 403, 403, 403], [200, 200, 403, 403]];
    for (operator, wanted) in operators.iter_mut().zip(table) {
        let browser = Browser::signed_in(&city, operator).await;
        for (page, status) in pages.iter().zip(wanted) {
            assert_eq!(browser.get(page).await.status, status, "{} on {page}", operator.name);
        }
        let html = browser.get("/desk/").await.html;
        let tabs = pages.iter().filter(|page| html.contains(&format!("<a href=\"{page}\""))).count();
        assert_eq!(tabs, wanted.iter().filter(|status| **status == 200).count(), "{}", operator.name);
        assert!(!html.contains("http://") && !html.contains("https://") && !html.contains("<script"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn administrators_keep_accounts_and_leave_their_own_alone() {
    let mut city = City::prepare();
    let mut admin = Operator::add(&city, "admin", "administrator", None);
    city.restart().await;
    let browser = Browser::signed_in(&city, &mut admin).await;
    let accounts = "/desk/accounts";
    let fields = [("name", "wang.wei"), ("role", "department_worker"), ("department", DEPARTMENT)];
    let issued = browser.submit(accounts, "/desk/accounts/add", &fields).await;
    assert_eq!(issued.status, 200);
    assert!(issued.html.contains("<svg") && issued.html.contains("一次性密码"));
    let mut wang = handed("wang.wei", &issued.html);
    let workers = Browser::signed_in(&city, &mut wang).await;
    assert_eq!(workers.get("/desk/").await.status, 200);
    // What was handed over is shown once, and nowhere else.
    let list = browser.get(accounts).await.html;
    assert!(list.contains("wang.wei") && !list.contains("secret") && !list.contains("argon2"));

    for (name, role, department, status) in [
        ("wang.wei", "auditor", "", 409),
        ("Bad Name", "auditor", "", 422),
        ("<script>alert(1)</script>", "auditor", "", 422),
        ("li", "department_worker", "", 422),
        ("li", "department_worker", "没有这个部门", 422),
        ("li", "king", "", 422),
    ] {
        let fields = [("name", name), ("role", role), ("department", department)];
        let page = browser.submit(accounts, "/desk/accounts/add", &fields).await;
        assert_eq!(page.status, status, "{name} {role}");
        assert!(!page.html.contains("<script>"));
    }
    // A change of role ends the sessions that had the old one.
    let fields = [("name", "wang.wei"), ("role", "support")];
    assert_eq!(browser.submit(accounts, "/desk/accounts/role", &fields).await.status, 303);
    assert_eq!(workers.get("/desk/").await.location, "/desk/sign-in");
    let mut again = Browser::new(&city);
    again.enter(&mut wang).await;
    assert_eq!(again.get("/desk/troubles").await.status, 200);
    let fields = [("name", "wang.wei"), ("disabled", "yes")];
    assert_eq!(browser.submit(accounts, "/desk/accounts/disable", &fields).await.status, 303);
    assert_eq!(again.get("/desk/").await.location, "/desk/sign-in");
    let code = wang.code();
    assert_eq!(again.try_sign_in("wang.wei", CHOSEN, &code).await.status, 401);
    for path in ["reset", "disable", "role"] {
        let fields = [("name", "admin"), ("role", "support"), ("disabled", "yes")];
        let page = browser.submit(accounts, &format!("/desk/accounts/{path}"), &fields).await;
        assert_eq!(page.status, 403, "{path}");
    }
    let reset = browser.submit(accounts, "/desk/accounts/reset", &[("name", "wang.wei")]).await;
    assert_ne!(handed("wang.wei", &reset.html).password, wang.password);
}

/// What the page for a new account shows.
fn handed(name: &str, html: &str) -> Operator {
    let after = |mark: &str| html.split(mark).nth(1).unwrap().split('<').next().unwrap().to_owned();
    let secret = html.split("手工输入").nth(1).unwrap().split(r#"class="code">"#).nth(1).unwrap();
    Operator::handed(name, &after(r#"class="code big">"#), secret)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_line_recovers_an_account_while_the_gateway_is_stopped() {
    let mut city = City::prepare();
    let mut admin = Operator::add(&city, "admin", "administrator", None);
    city.restart().await;
    Browser::signed_in(&city, &mut admin).await;
    let (done, said) = command(&city, &["account", "reset", "admin"]);
    assert!(!done && said.contains("while the gateway is stopped"), "{said}");
    // A look at the rules needs no stopped gateway.
    let (done, said) = command(&city, &["retention", "--dry-run"]);
    assert!(done && said.contains("finished cases\t0"), "{said}");
    city.stop().await;
    let (done, said) = command(&city, &["account", "reset", "admin"]);
    assert!(done && said.contains("otpauth://totp/") && said.contains('█'), "{said}");
    let (done, said) = command(&city, &["account", "list"]);
    assert!(done && said.contains("admin\t管理员"), "{said}");
    for wrong in [["account", "reset", "nobody"], ["account", "disable", "nobody"]] {
        assert!(!command(&city, &wrong).0);
    }
    let (done, said) = command(&city, &["account", "add", "x1", "--role", "king"]);
    assert!(!done && said.contains("department_worker"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_certificate_the_pages_are_https_and_the_cookie_is_secure() {
    let mut city = City::prepare();
    let mut chen = Operator::add(&city, "chen", "support", None);
    let mut config = city.config();
    let keys = config.paths.keys.clone();
    config.city.open_feed = false;
    config.city.tls =
        Some(CityTls { cert: keys.join("gateway.cert.pem"), key: keys.join("gateway.key.pem") });
    city.restart_with(config).await;
    let base = format!("https://localhost:{}", city.gateway().city().port());
    let mut browser = Browser::with(city.browser_client(), base.clone());
    let (password, code) = (chen.password.clone(), chen.code());
    let page = browser.try_sign_in("chen", &password, &code).await;
    let cookie = page.cookie.unwrap();
    assert!(cookie.starts_with("__Host-desk=") && cookie.contains("Secure"), "{cookie}");
    assert_eq!(browser.get("/desk/").await.location, "/desk/password");
    // Without the open feed nothing is shown to who has not signed in, but for the public page.
    let stranger = Browser::with(city.browser_client(), base);
    assert_eq!(stranger.raw("/city/inbox.json").await.0, 404);
    assert_eq!(stranger.raw("/city/part").await.0, 404);
    assert_eq!(stranger.raw("/city/healthz").await, (200, "{\"status\":\"ok\"}".into()));
    assert_eq!(stranger.raw("/v/DG0001-V1").await.0, 404);
    // By plain HTTP nothing is said at all.
    let plain = reqwest::Client::builder().no_proxy().build().unwrap();
    assert!(plain.get(format!("http://{}/desk/", city.gateway().city())).send().await.is_err());
}
