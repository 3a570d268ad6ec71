//! Sessions: how long they live, and the cookie that names them. The rules are pure; the rows lie in the store, so
//! that several gateways can share them and a restart signs nobody out.

use axum::http::{HeaderMap, HeaderValue, header};

use crate::store::desk::{OperatorRow, SessionRow};

/// A session nobody used for so long is over.
pub(crate) const IDLE_MS: i64 = 15 * 60 * 1000;

/// No session is longer than a day's work.
pub(crate) const LONGEST_MS: i64 = 8 * 60 * 60 * 1000;

/// How old the note of a session's last use may be. It is not written at every step, and the session ends by so much
/// earlier, never later.
pub(crate) const TOUCH_MS: i64 = 60 * 1000;

/// Sessions one operator may have at once.
pub(crate) const MOST: usize = 3;

/// Whether a session may still be used.
pub(crate) fn alive(session: &SessionRow, operator: &OperatorRow, now_ms: i64) -> bool {
    // A clock that goes back must not make a session longer.
    let (age, rest) = (now_ms - session.created_at_ms, now_ms - session.seen_at_ms);
    !operator.disabled
        && operator.version == session.operator_version
        && (-TOUCH_MS..LONGEST_MS).contains(&age)
        && (-TOUCH_MS..IDLE_MS).contains(&rest)
}

/// Whether its use has to be noted again.
pub(crate) fn needs_touch(session: &SessionRow, now_ms: i64) -> bool {
    now_ms - session.seen_at_ms >= TOUCH_MS
}

/// Whether browsers reach the pages by TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    Plain,
    Tls,
}

impl Transport {
    /// With TLS the browser itself sees to it that nobody else can set the cookie.
    fn cookie(self) -> &'static str {
        match self {
            Transport::Plain => "desk",
            Transport::Tls => "__Host-desk",
        }
    }

    /// The cookie's line for a new session.
    pub(crate) fn set(self, token: &str) -> HeaderValue {
        self.line(token, LONGEST_MS / 1000)
    }

    /// The cookie's line that takes it away.
    pub(crate) fn clear(self) -> HeaderValue {
        self.line("", 0)
    }

    fn line(self, token: &str, seconds: i64) -> HeaderValue {
        let secure = if self == Transport::Tls { "; Secure" } else { "" };
        let line = format!(
            "{}={token}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}",
            self.cookie()
        );
        HeaderValue::try_from(line).expect("tokens are letters, digits, - and _")
    }

    /// The token a request carries. More than one is nobody's honest request.
    pub(crate) fn token(self, headers: &HeaderMap) -> Option<&str> {
        let mut tokens = headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(name, _)| *name == self.cookie())
            .map(|(_, token)| token);
        let token = tokens.next()?;
        let sensible = token.len() == 43
            && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        (sensible && tokens.next().is_none()).then_some(token)
    }

    fn scheme(self) -> &'static str {
        match self {
            Transport::Plain => "http",
            Transport::Tls => "https",
        }
    }

    /// Whether a request that changes something comes from one of our own pages: browsers say so themselves.
    /// `authority` is the one in the request's address; only HTTP/2 and proxies put one there.
    pub(crate) fn is_our_own(self, headers: &HeaderMap, authority: Option<&str>) -> bool {
        let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        let host = authority.or_else(|| text(header::HOST));
        let Some((origin, host)) = text(header::ORIGIN).zip(host) else { return false };
        origin.strip_prefix(self.scheme()).and_then(|rest| rest.strip_prefix("://")) == Some(host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::desk::Role;

    fn session() -> (SessionRow, OperatorRow) {
        let session = SessionRow {
            token_hash: String::new(),
            operator: "wang".into(),
            operator_version: 3,
            form_token: String::new(),
            created_at_ms: 1_000_000,
            seen_at_ms: 1_000_000,
        };
        let operator = OperatorRow {
            name: "wang".into(),
            role: Role::Support,
            department: None,
            sites: Vec::new(),
            password_hash: String::new(),
            code_secret: Vec::new(),
            code_step: 0,
            must_change: false,
            disabled: false,
            version: 3,
            created_at_ms: 0,
        };
        (session, operator)
    }

    #[test]
    fn idle_and_old_sessions_are_over() {
        let (mut session, operator) = session();
        let start = session.created_at_ms;
        assert!(alive(&session, &operator, start + IDLE_MS - 1));
        assert!(!alive(&session, &operator, start + IDLE_MS));
        session.seen_at_ms = start + LONGEST_MS - 1;
        assert!(alive(&session, &operator, start + LONGEST_MS - 1));
        assert!(!alive(&session, &operator, start + LONGEST_MS));
        // A clock that was set back by hours must not give hours.
        session.seen_at_ms = start;
        assert!(!alive(&session, &operator, start - 3_600_000));
        assert!(needs_touch(&session, start + TOUCH_MS) && !needs_touch(&session, start + TOUCH_MS - 1));
    }

    #[test]
    fn a_changed_or_disabled_account_has_no_sessions() {
        let (session, mut operator) = session();
        let now = session.created_at_ms + 1;
        operator.version += 1;
        assert!(!alive(&session, &operator, now));
        operator.version -= 1;
        operator.disabled = true;
        assert!(!alive(&session, &operator, now));
    }

    #[test]
    fn cookies_are_read_strictly() {
        let token = "A".repeat(43);
        let headers = |cookie: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, HeaderValue::from_str(cookie).unwrap());
            headers
        };
        let plain = Transport::Plain;
        assert_eq!(plain.token(&headers(&format!("a=b; desk={token}"))), Some(token.as_str()));
        for bad in [
            String::new(),
            format!("desk={token}x"),
            format!("desk={}", &token[1..]),
            format!("desk={}%", &token[1..]),
            format!("desk={token}; desk={token}"),
            format!("__Host-desk={token}"),
        ] {
            assert_eq!(plain.token(&headers(&bad)), None, "{bad}");
        }
        let line = Transport::Tls.set(&token);
        let line = line.to_str().unwrap();
        for part in ["__Host-desk=", "Secure", "HttpOnly", "SameSite=Strict", "Path=/"] {
            assert!(line.contains(part), "{line}");
        }
    }

    #[test]
    fn only_our_own_pages_may_change_something() {
        let headers = |origin: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_static("city.example:7080"));
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
            }
            headers
        };
        assert!(Transport::Plain.is_our_own(&headers(Some("http://city.example:7080")), None));
        for other in [
            None,
            Some("null"),
            Some("http://city.example"),
            Some("https://city.example:7080"),
            Some("http://evil.example:7080"),
            Some("http://city.example:7080.evil.example"),
        ] {
            assert!(!Transport::Plain.is_our_own(&headers(other), None), "{other:?}");
        }
        assert!(Transport::Tls.is_our_own(&headers(Some("https://city.example:7080")), None));
    }
}
