//! A department worker at the city's desk: the account comes from the gateway's command line, as a city makes its first
//! ones; codes are computed as a telephone does; steps are made with the pages' own forms.

use crate::workshop::{Kiosk, programs};
use anyhow::{Context, Result, ensure};
use hmac::{Hmac, KeyInit, Mac};
use reqwest::redirect::Policy;
use sha1::Sha1;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const NAME: &str = "wang";
const CHOSEN: &str = "松山湖畔的一句话 2026";
const PATIENCE: Duration = Duration::from_secs(30);

/// Signed in, and with a password of their own.
pub struct Worker {
    http: reqwest::Client,
    base: String,
    cookie: String,
}

impl Worker {
    /// Gives somebody of this department an account (the gateway has to stop for it) and signs in.
    pub async fn hire(kiosk: &Kiosk, department: &str) -> Result<Worker> {
        kiosk.stop_process("city-gateway").await?;
        let output = Command::new(programs()?.join("city-gateway"))
            .arg("--config")
            .arg(kiosk.folder().join("gateway/gateway.toml"))
            .args(["account", "add", NAME, "--role", "department_worker", "--department", department])
            .output()?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let said = String::from_utf8(output.stdout)?;
        let between = |start: &str| said.split(start).nth(1).context("the account was handed over");
        let password = between("one-time password: ")?.lines().next().unwrap_or_default().trim().to_owned();
        let code = code(between("secret=")?)?;
        kiosk.start_process("city-gateway").await?;

        let city = kiosk.state().await?.city_url;
        let base = city.split("/city").next().unwrap_or_default().to_owned();
        let http = reqwest::Client::builder().no_proxy().redirect(Policy::none()).build()?;
        let mut worker = Worker { http, base, cookie: String::new() };
        let is_up = async || Ok(worker.get("/desk/sign-in").await.ok());
        kiosk.until("the desk", PATIENCE, is_up).await?;
        worker
            .post(
                "/desk/sign-in",
                &[("name", NAME), ("password", password.as_str()), ("code", code.as_str())],
            )
            .await?;
        let token = worker.token("/desk/password").await?;
        let fields = [
            ("current", password.as_str()),
            ("new", CHOSEN),
            ("again", CHOSEN),
            ("form_token", token.as_str()),
        ];
        worker.post("/desk/password", &fields).await?;
        Ok(worker)
    }

    /// Takes the case one step on.
    pub async fn step(&mut self, number: &str, to: &str, reason: &str, note: &str) -> Result<()> {
        let path = self.address(number).await?;
        let page = self.get(&path).await?;
        let version = field(&page, "version")?;
        let token = field(&page, "form_token")?;
        let fields =
            [("version", version), ("to", to), ("reason", reason), ("note", note), ("form_token", token)];
        self.post(&format!("{path}/step"), &fields).await
    }

    /// The page of the case at the desk.
    pub async fn page(&self, number: &str) -> Result<String> {
        let path = self.address(number).await?;
        self.get(&path).await
    }

    async fn address(&self, number: &str) -> Result<String> {
        let list = self.get(&format!("/desk/?state=all&number={number}")).await?;
        let after = list.split("href=\"/desk/case/").nth(1).context("the case is on the desk")?;
        Ok(format!("/desk/case/{}", after.split('"').next().unwrap_or_default()))
    }

    async fn token(&self, path: &str) -> Result<String> {
        Ok(field(&self.get(path).await?, "form_token")?.to_owned())
    }

    async fn get(&self, path: &str) -> Result<String> {
        let request = self.http.get(format!("{}{path}", self.base)).header("cookie", &self.cookie);
        Ok(request.send().await?.error_for_status()?.text().await?)
    }

    /// Sends a form; a good one is answered by "see the page", with a new cookie sometimes.
    async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Result<()> {
        let escaped = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
        let body: Vec<String> =
            fields.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect();
        let request = self
            .http
            .post(format!("{}{path}", self.base))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("origin", &self.base)
            .header("cookie", &self.cookie)
            .body(body.join("&"));
        let answer = request.send().await?;
        let cookie = answer.headers().get("set-cookie").and_then(|value| value.to_str().ok());
        if let Some(cookie) = cookie.and_then(|cookie| cookie.split(';').next()) {
            cookie.clone_into(&mut self.cookie);
        }
        let status = answer.status().as_u16();
        ensure!(status == 303, "{path}: {status} {}", answer.text().await?);
        Ok(())
    }
}

/// The value of the first field with this name.
fn field<'a>(page: &'a str, name: &str) -> Result<&'a str> {
    let found = page.split(&format!("name=\"{name}\" value=\"")).nth(1);
    found.and_then(|rest| rest.split('"').next()).with_context(|| format!("no {name} on the page"))
}

/// The code of this half minute (RFC 6238) for a secret in base 32.
fn code(secret: &str) -> Result<String> {
    let (mut key, mut held, mut bits) = (Vec::new(), 0_u64, 0);
    for letter in secret.chars() {
        let Some(value) = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".find(letter) else { break };
        held = held << 5 | value as u64;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            key.push((held >> bits & 0xff) as u8);
        }
    }
    let step = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() / 30;
    let mut mac = Hmac::<Sha1>::new_from_slice(&key)?;
    mac.update(&step.to_be_bytes());
    let digest = mac.finalize().into_bytes();
    let at = (digest[19] & 15) as usize;
    let word = u32::from_be_bytes(digest[at..at + 4].try_into()?) & 0x7fff_ffff;
    Ok(format!("{:06}", word % 1_000_000))
}
