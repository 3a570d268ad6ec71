//! A database across a network: TLS with a verified certificate, a password from a file, an account that owns
//! only its own database.

use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use super::*;
use crate::store::contract::arrival;

fn ca() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A server that lets nobody in over TCP without TLS and a password; answers its port.
fn secured(cluster: &Cluster, ca: &CertifiedIssuer<'static, KeyPair>) -> u16 {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, ca).unwrap();
    let key = cluster.file("server.key", &key.serialize_pem()).unwrap();
    let certificate = cluster.file("server.crt", &certificate.pem()).unwrap();
    let hba = "local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n";
    let hba = cluster.file("hba.conf", hba).unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let named = |name: &str, path: &Path| format!("{name}={}", path.display());
    cluster
        .start(&[
            "listen_addresses=127.0.0.1".into(),
            format!("port={port}"),
            "ssl=on".into(),
            named("ssl_cert_file", &certificate),
            named("ssl_key_file", &key),
            named("hba_file", &hba),
        ])
        .unwrap();
    port
}

#[tokio::test]
async fn a_database_across_a_network_is_reached_by_tls_and_password_only() {
    let (cluster, right, wrong) = (Cluster::prepare().unwrap(), ca(), ca());
    let port = secured(&cluster, &right);
    let owner = address(&format!("{} port={port}", cluster.address("postgres")));
    let owner = connect::Connector::new(&owner).unwrap().open().await.unwrap();
    owner.execute("CREATE ROLE gateway LOGIN PASSWORD 'made up for this test'", &[]).await.unwrap();
    owner.execute("CREATE DATABASE city OWNER gateway", &[]).await.unwrap();

    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        Some(path)
    };
    let words = format!("host=127.0.0.1 port={port} user=gateway dbname=city");
    let good = Address {
        words,
        password_file: file("password", "made up for this test\n"),
        ca: file("ca.pem", &right.pem()),
    };
    let store = PostgresStore::open(&good, PoolLimits::default(), "g".into()).await.unwrap();
    assert!(!store.accept(arrival("DG0001", 1, "a", "x")).await.unwrap().again);
    let sql =
        "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'gateway'";
    assert!(owner.query_one(sql, &[]).await.unwrap().get::<_, bool>(0));

    for (what, bad) in [
        ("another authority", Address { ca: file("other.pem", &wrong.pem()), ..good.clone() }),
        ("another name", Address { words: good.words.replace("127.0.0.1", "localhost"), ..good.clone() }),
        ("no TLS", Address { ca: None, ..good.clone() }),
        ("another password", Address { password_file: file("guess", "geheim"), ..good.clone() }),
        ("no certificate in the file", Address { ca: file("empty.pem", ""), ..good.clone() }),
    ] {
        let Err(error) = PostgresStore::open(&bad, PoolLimits::default(), "g".into()).await else {
            panic!("{what}: opened")
        };
        assert!(matches!(error, OpenError::Postgres(_)), "{what}: {error:?}");
        assert!(!format!("{error:?}").contains("geheim"), "{what}: {error:?}");
    }
}
