//! The terminal's clock is handed in with every handshake, ten years off or not, and must make no difference.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use super::*;

const YEAR: i64 = 365 * 24 * 60 * 60;
/// A day in 2027, seconds since 1970.
const TODAY: i64 = 1_800_000_000;

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A certificate for `localhost`, valid between these two.
fn server(authority: &CertifiedIssuer<'static, KeyPair>, from: i64, until: i64) -> CertificateDer<'static> {
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let at = |seconds| time::OffsetDateTime::from_unix_timestamp(seconds).unwrap();
    (params.not_before, params.not_after) = (at(from), at(until));
    params.signed_by(&KeyPair::generate().unwrap(), authority).unwrap().der().clone()
}

fn accepts(verifier: &CityVerifier, certificate: &CertificateDer<'_>, name: &str, clock: i64) -> bool {
    let name = ServerName::try_from(name.to_owned()).unwrap();
    verifier.verify_server_cert(certificate, &[], &name, &[], unix(clock * 1000)).is_ok()
}

fn verifier(authority: &CertifiedIssuer<'static, KeyPair>, time: &Arc<CityTime>) -> CityVerifier {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    CityVerifier::new(&[authority.der().clone()], Arc::clone(time), provider).unwrap()
}

#[test]
fn the_terminals_own_clock_makes_no_difference() {
    let city = authority();
    let time = Arc::new(CityTime::start(None));
    let verifier = verifier(&city, &time);
    let good = server(&city, TODAY - YEAR, TODAY + YEAR);
    let expired = server(&city, TODAY - 3 * YEAR, TODAY - YEAR);
    let clocks = [0, TODAY - 10 * YEAR, TODAY, TODAY + 10 * YEAR];
    for clock in clocks {
        assert!(accepts(&verifier, &good, "localhost", clock), "{clock}");
        // Nobody knows yet that it is expired.
        assert!(accepts(&verifier, &expired, "localhost", clock), "{clock}");
    }
    time.learn(TODAY * 1000);
    let early = server(&city, TODAY + YEAR, TODAY + 2 * YEAR);
    for clock in clocks {
        assert!(accepts(&verifier, &good, "localhost", clock), "{clock}");
        assert!(!accepts(&verifier, &expired, "localhost", clock), "{clock}");
        assert!(!accepts(&verifier, &early, "localhost", clock), "{clock}");
    }
}

#[test]
fn authority_and_name_are_checked_even_when_dates_are_not() {
    let (city, stranger) = (authority(), authority());
    let time = Arc::new(CityTime::start(None));
    let verifier = verifier(&city, &time);
    let foreign = server(&stranger, TODAY - YEAR, TODAY + YEAR);
    let own = server(&city, TODAY - YEAR, TODAY + YEAR);
    assert!(!accepts(&verifier, &foreign, "localhost", TODAY));
    assert!(!accepts(&verifier, &own, "elsewhere", TODAY));
    assert!(!accepts(&verifier, city.der(), "localhost", TODAY));
    let garbage = CertificateDer::from(vec![1, 2, 3]);
    assert!(!accepts(&verifier, &garbage, "localhost", TODAY));
}

#[test]
fn a_connection_that_was_let_in_unjudged_is_given_up_when_it_should_not_have_been() {
    let city = authority();
    for (certificate, give_up) in [
        (server(&city, TODAY - YEAR, TODAY + YEAR), false),
        (server(&city, TODAY - 3 * YEAR, TODAY - YEAR), true),
        (server(&city, TODAY + YEAR, TODAY + 2 * YEAR), true),
    ] {
        let time = Arc::new(CityTime::start(None));
        assert!(accepts(&verifier(&city, &time), &certificate, "localhost", 0));
        assert_eq!(time.learn(TODAY * 1000), give_up);
        // Said once.
        assert!(!time.learn(TODAY * 1000));
    }
}

#[test]
fn a_city_that_contradicts_itself_does_not_lock_anybody_out() {
    let city = authority();
    let time = Arc::new(CityTime::start(Some((TODAY + 10 * YEAR) * 1000)));
    let verifier = verifier(&city, &time);
    let good = server(&city, TODAY - YEAR, TODAY + YEAR);
    assert!(accepts(&verifier, &good, "localhost", TODAY));
    assert!(!time.learn(TODAY * 1000));
    assert!(accepts(&verifier, &good, "localhost", TODAY));
}
