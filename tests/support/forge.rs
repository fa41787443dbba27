//! Invalid certificates.

use std::fs;
use std::path::PathBuf;

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, ExtendedKeyUsagePurpose,
    IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SanType, SerialNumber,
    date_time_ymd,
};

use super::World;

/// The content of a valid certificate, to be modified.
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

/// Writes an identity folder with a certificate signed by the world's authority.
pub fn signed(world: &World, name: &str, params: &CertificateParams) -> PathBuf {
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, &issuer(world)).unwrap();
    write(world, name, &certificate.pem(), &key)
}

/// Writes an identity folder with a self-signed certificate.
pub fn self_signed(world: &World, name: &str, params: &CertificateParams) -> PathBuf {
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    write(world, name, &certificate.pem(), &key)
}

/// Writes an identity folder with a certificate of another authority.
pub fn signed_by_another(world: &World, name: &str, params: &CertificateParams) -> PathBuf {
    let another = Issuer::new(authority_params(), KeyPair::generate().unwrap());
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, &another).unwrap();
    write(world, name, &certificate.pem(), &key)
}

/// Writes an identity folder with a certificate of another authority, which has the name of the world's authority.
pub fn signed_by_a_namesake(world: &World, name: &str, params: &CertificateParams) -> PathBuf {
    let ca = fs::read_to_string(world.path("ca/ca.pem")).unwrap();
    let namesake = Issuer::from_ca_cert_pem(&ca, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, &namesake).unwrap();
    write(world, name, &certificate.pem(), &key)
}

/// Writes a revocation list next to the server's identity. It revokes the serial 42.
pub fn revoke(world: &World, next_update_year: i32) {
    write_crl(world, revocation_list(&issuer(world), next_update_year, 1));
}

/// A revocation list of the world's authority, in PEM. It revokes the serial 42.
pub fn good_crl(world: &World) -> String {
    numbered_crl(world, 1)
}

/// The same with another list number.
pub fn numbered_crl(world: &World, number: u64) -> String {
    revocation_list(&issuer(world), 2090, number)
}

/// A revocation list of the world's authority that has expired.
pub fn expired_crl(world: &World) -> String {
    revocation_list(&issuer(world), 2025, 1)
}

/// A revocation list of an untrusted authority, with its own name or with that of the world's
/// authority.
pub fn foreign_crl(world: &World, same_name: bool) -> String {
    let key = KeyPair::generate().unwrap();
    if !same_name {
        return revocation_list(&Issuer::new(authority_params(), key), 2090, 1);
    }
    let ca = fs::read_to_string(world.path("ca/ca.pem")).unwrap();
    revocation_list(&Issuer::from_ca_cert_pem(&ca, key).unwrap(), 2090, 1)
}

/// Writes the server's `crl.pem`.
pub fn write_crl(world: &World, content: impl AsRef<[u8]>) {
    fs::write(world.config.server.identity.join("crl.pem"), content).unwrap();
}

fn revocation_list(issuer: &Issuer<'_, KeyPair>, next_update_year: i32, number: u64) -> String {
    let list = CertificateRevocationListParams {
        this_update: date_time_ymd(2024, 1, 1),
        next_update: date_time_ymd(next_update_year, 1, 1),
        crl_number: SerialNumber::from(number),
        issuing_distribution_point: None,
        revoked_certs: vec![RevokedCertParams {
            serial_number: SerialNumber::from(42u64),
            revocation_time: date_time_ymd(2024, 1, 1),
            reason_code: None,
            invalidity_date: None,
        }],
        key_identifier_method: KeyIdMethod::Sha256,
    };
    list.signed_by(issuer).unwrap().pem().unwrap()
}

fn authority_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

fn write(world: &World, name: &str, certificate: &str, key: &KeyPair) -> PathBuf {
    let folder = world.path("forged").join(name);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("cert.pem"), certificate).unwrap();
    fs::write(folder.join("key.pem"), key.serialize_pem()).unwrap();
    fs::copy(world.path("ca/ca.pem"), folder.join("ca.pem")).unwrap();
    folder
}
