//! Operators and their browsers: accounts made on the command line as a city makes its first ones, codes computed as
//! a telephone does, cookies and forms as a browser handles them.

use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit, Mac};
use reqwest::redirect::Policy;
use sha1::Sha1;

use crate::support::City;

/// The password operators choose for themselves.
pub const CHOSEN: &str = "松山湖畔的一句话 2026";

/// Where operators are sent who have signed in: of cases, and of calls.
const FIRST_PAGES: [&str; 2] = ["/desk/", "/keeper/"];

/// What the command line handed out.
pub struct Operator {
    pub name: String,
    pub password: String,
    secret: Vec<u8>,
    last_step: i64,
}

/// Writes the configuration that command line and gateway share.
pub fn configure(city: &City) -> std::path::PathBuf {
    let config = city.path("gateway.toml");
    let text = "[listen]\nterminals = \"127.0.0.1:0\"\ncity = \"127.0.0.1:0\"\n\
                [paths]\nstate = \"state\"\nkeys = \"keys\"\ncatalog = \"catalog\"\n";
    std::fs::write(&config, text).unwrap();
    config
}

/// Runs `city-gateway` with these words.
pub fn command(city: &City, words: &[&str]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_city-gateway"))
        .arg("--config")
        .arg(configure(city))
        .args(words)
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

impl Operator {
    /// Makes an account while the gateway is stopped.
    pub fn add(city: &City, name: &str, role: &str, department: Option<&str>) -> Self {
        let mut duty = vec!["--role", role];
        if let Some(department) = department {
            duty.extend(["--department", department]);
        }
        Self::add_with(city, name, &duty)
    }

    /// The same, with all that its duty needs.
    pub fn add_with(city: &City, name: &str, duty: &[&str]) -> Self {
        let words = [&["account", "add", name], duty].concat();
        let (done, said) = command(city, &words);
        assert!(done, "{said}");
        let password = said.split("one-time password: ").nth(1).unwrap().lines().next().unwrap();
        Self::handed(name, password.trim(), said.split("secret=").nth(1).unwrap())
    }

    /// From what was handed over; `secret` is in base 32, whatever follows it.
    pub fn handed(name: &str, password: &str, secret: &str) -> Self {
        let (mut bytes, mut held, mut bits) = (Vec::new(), 0_u64, 0);
        for letter in secret.chars().filter(|letter| *letter != ' ') {
            let Some(value) = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".find(letter) else { break };
            held = held << 5 | value as u64;
            bits += 5;
            if bits >= 8 {
                bits -= 8;
                bytes.push((held >> bits & 0xff) as u8);
            }
        }
        assert_eq!(bytes.len(), 20);
        Self { name: name.into(), password: password.into(), secret: bytes, last_step: 0 }
    }

    /// A code that was not used before. A telephone shows a new one only every half minute, so a test has three.
    pub fn code(&mut self) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64 / 30;
        self.last_step = (self.last_step + 1).max(now - 1);
        assert!(self.last_step <= now + 1, "too many sign-ins of one operator in one test");
        self.code_of(self.last_step)
    }

    /// The code that was used last.
    pub fn same_code(&self) -> String {
        self.code_of(self.last_step)
    }

    fn code_of(&self, step: i64) -> String {
        let mut mac = Hmac::<Sha1>::new_from_slice(&self.secret).unwrap();
        mac.update(&step.to_be_bytes());
        let digest = mac.finalize().into_bytes();
        let at = (digest[19] & 15) as usize;
        let word = u32::from_be_bytes(digest[at..at + 4].try_into().unwrap()) & 0x7fff_ffff;
        format!("{:06}", word % 1_000_000)
    }
}

/// What came back.
pub struct Page {
    pub status: u16,
    pub location: String,
    pub cookie: Option<String>,
    pub html: String,
}

/// A browser: keeps its cookie, says where its forms come from.
#[derive(Clone)]
pub struct Browser {
    pub client: reqwest::Client,
    pub base: String,
    pub cookie: Option<String>,
    pub origin: Option<String>,
}

impl Browser {
    pub fn new(city: &City) -> Self {
        let client = reqwest::Client::builder().no_proxy().redirect(Policy::none()).build().unwrap();
        Self::with(client, format!("http://{}", city.gateway().city()))
    }

    pub fn with(client: reqwest::Client, base: String) -> Self {
        Self { client, origin: Some(base.clone()), base, cookie: None }
    }

    pub async fn get(&self, path: &str) -> Page {
        self.send(self.client.get(format!("{}{path}", self.base))).await
    }

    /// Sends a form as it is, without a token.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        let body: Vec<String> =
            fields.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect();
        let mut request = self
            .client
            .post(format!("{}{path}", self.base))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body.join("&"));
        if let Some(origin) = &self.origin {
            request = request.header("origin", origin);
        }
        self.send(request).await
    }

    /// Fetches a page for its token and sends a form with it.
    pub async fn submit(&self, from: &str, path: &str, fields: &[(&str, &str)]) -> Page {
        let token = self.token(from).await;
        let mut fields = fields.to_vec();
        fields.push(("form_token", &token));
        self.post(path, &fields).await
    }

    /// The token in the forms of a page.
    pub async fn token(&self, from: &str) -> String {
        let page = self.get(from).await;
        let found = page.html.split(r#"name="form_token" value=""#).nth(1);
        let found = found.unwrap_or_else(|| panic!("no form on {from}: {} {}", page.status, page.html));
        found.split('"').next().unwrap().to_owned()
    }

    /// Any page of the gateway, whatever its headers: status and text.
    pub async fn raw(&self, path: &str) -> (u16, String) {
        let mut request = self.client.get(format!("{}{path}", self.base));
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    async fn send(&self, mut request: reqwest::RequestBuilder) -> Page {
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        let answer = request.send().await.unwrap();
        let header = |name: &str| {
            answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
        };
        let policy = header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(header("cache-control"), "no-store");
        Page {
            status: answer.status().as_u16(),
            location: header("location"),
            cookie: Some(header("set-cookie")).filter(|cookie| !cookie.is_empty()),
            html: answer.text().await.unwrap(),
        }
    }

    /// Tries to sign in.
    pub async fn try_sign_in(&mut self, name: &str, password: &str, code: &str) -> Page {
        let fields = [("name", name), ("password", password), ("code", code)];
        let page = self.post("/desk/sign-in", &fields).await;
        if let Some(cookie) = &page.cookie {
            self.cookie = Some(cookie.split(';').next().unwrap().to_owned());
        }
        page
    }

    /// Signs in, and chooses a password when it is the first time.
    pub async fn signed_in(city: &City, operator: &mut Operator) -> Self {
        let mut browser = Self::new(city);
        browser.enter(operator).await;
        browser
    }

    pub async fn enter(&mut self, operator: &mut Operator) {
        let code = operator.code();
        let page = self.try_sign_in(&operator.name, &operator.password, &code).await;
        let first = page.location.clone();
        assert!(page.status == 303 && FIRST_PAGES.contains(&first.as_str()), "{first} {}", page.html);
        if self.get("/desk/").await.location == "/desk/password" {
            let fields = [("current", operator.password.as_str()), ("new", CHOSEN), ("again", CHOSEN)];
            let page = self.submit("/desk/password", "/desk/password", &fields).await;
            assert_eq!((page.status, &page.location), (303, &first), "{}", page.html);
            self.cookie = Some(page.cookie.unwrap().split(';').next().unwrap().to_owned());
            operator.password = CHOSEN.into();
        }
    }
}

fn escaped(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
