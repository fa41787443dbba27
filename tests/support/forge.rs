//! Certificates as nobody should issue them.

use std::fs;
use std::path::PathBuf;

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, ExtendedKeyUsagePurpose,
    IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SanType, SerialNumber,
    date_time_ymd,
};

use super::World;

/// A certificate's content before it is bent.
pub fn good(uris: &[&str]) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.not_before = date_time_ymd(2024, 1, 1);
    params.not_after = date_time_ymd(2090, 1, 1);
    params.subject_alt_names =
        uris.iter().map(|uri| SanType::URI((*uri).try_into().unwrap())).collect();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.use_authority_key_identifier_extension = true;
    params.serial_number = Some(SerialNumber::from(42u64));
    params
}

fn issuer(world: &World) -> Issuer<'static, KeyPair> {
    let read = |name: &str| fs::read_to_string(world.path("ca").join(name)).unwrap();
    Issuer::from_ca_cert_pem(&read("ca.pem"), KeyPair::from_pem(&read("ca-key.pem")).unwrap())
        .unwrap()
}

/// Writes an identity folder whose certificate the world's authority signed.
pub fn signed(world: &World, name: &str, params: &CertificateParams) -> PathBuf {
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, &issuer(world)).unwrap();
    write(world, name, &certificate.pem(), &key)
}

/// Writes an identity folder whose certificate signed itself.
pub fn self_signed(world: &World, name: &str, params: &CertificateParams) -> PathBuf {
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    write(world, name, &certificate.pem(), &key)
}

/// Writes an identity folder whose certificate another authority signed.
pub fn signed_by_another(world: &World, name: &str, params: &CertificateParams) -> PathBuf {
    let ca_key = KeyPair::generate().unwrap();
    let mut ca = CertificateParams::default();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let another = Issuer::new(ca, ca_key);
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, &another).unwrap();
    write(world, name, &certificate.pem(), &key)
}

/// Puts a revocation list beside the server's identity: the serial 42 is revoked on it.
pub fn revoke(world: &World, next_update_year: i32) {
    let list = CertificateRevocationListParams {
        this_update: date_time_ymd(2024, 1, 1),
        next_update: date_time_ymd(next_update_year, 1, 1),
        crl_number: SerialNumber::from(1u64),
        issuing_distribution_point: None,
        revoked_certs: vec![RevokedCertParams {
            serial_number: SerialNumber::from(42u64),
            revocation_time: date_time_ymd(2024, 1, 1),
            reason_code: None,
            invalidity_date: None,
        }],
        key_identifier_method: KeyIdMethod::Sha256,
    };
    let pem = list.signed_by(&issuer(world)).unwrap().pem().unwrap();
    fs::write(world.config.server.identity.join("crl.pem"), pem).unwrap();
}

fn write(world: &World, name: &str, certificate: &str, key: &KeyPair) -> PathBuf {
    let folder = world.path("forged").join(name);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("cert.pem"), certificate).unwrap();
    fs::write(folder.join("key.pem"), key.serialize_pem()).unwrap();
    fs::copy(world.path("ca/ca.pem"), folder.join("ca.pem")).unwrap();
    folder
}
