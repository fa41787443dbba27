//! Invalid certificates.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose,
    RevokedCertParams, SanType, SerialNumber, date_time_ymd,
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
    expiring_crl(world, 2025)
}

/// A revocation list of the world's authority that expires at the start of a year.
pub fn expiring_crl(world: &World, next_update_year: i32) -> String {
    revocation_list(&issuer(world), next_update_year, 1)
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
    revocation_list_of(issuer, next_update_year, number, 42)
}

fn revocation_list_of(
    issuer: &Issuer<'_, KeyPair>,
    next_update_year: i32,
    number: u64,
    serial: u64,
) -> String {
    let list = CertificateRevocationListParams {
        this_update: date_time_ymd(2024, 1, 1),
        next_update: date_time_ymd(next_update_year, 1, 1),
        crl_number: SerialNumber::from(number),
        issuing_distribution_point: None,
        revoked_certs: vec![RevokedCertParams {
            serial_number: SerialNumber::from(serial),
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

/// An authority whose certificate the test chooses.
pub struct Root {
    pub pem: String,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Root {
    /// A root certificate that the world's server trusts too.
    pub fn trusted(world: &World, name: &str) -> Self {
        let params = ca_params(name, 1, BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let root = Self { pem: issuer.pem(), issuer };
        let bundle = world.config.server.identity.join("ca.pem");
        let trusted = fs::read_to_string(&bundle).unwrap() + &root.pem;
        fs::write(bundle, trusted).unwrap();
        root
    }

    /// An authority below it, which may have others below itself.
    pub fn below(&self, name: &str, serial: u64, constraints: BasicConstraints) -> Self {
        let params = ca_params(name, serial, constraints);
        let issuer =
            CertifiedIssuer::signed_by(params, KeyPair::generate().unwrap(), &self.issuer).unwrap();
        Self { pem: issuer.pem(), issuer }
    }

    /// Writes an identity folder with a certificate that it signed, and the other certificates of the chain.
    pub fn signed(
        &self,
        world: &World,
        name: &str,
        params: &CertificateParams,
        chain: &str,
    ) -> PathBuf {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        write(world, name, &(certificate.pem() + chain), &key)
    }

    /// Its revocation list, with one serial number.
    pub fn list(&self, serial: u64) -> String {
        revocation_list_of(&self.issuer, 2090, 1, serial)
    }
}

fn ca_params(name: &str, serial: u64, below: BasicConstraints) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.not_before = date_time_ymd(2024, 1, 1);
    params.not_after = date_time_ymd(2090, 1, 1);
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(below);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.serial_number = Some(SerialNumber::from(serial));
    params
}

/// Writes an identity folder with a certificate of the world's authority that rcgen does not make: `options` are those of
/// `openssl genpkey` and `openssl x509`.
pub fn signed_by_openssl(world: &World, name: &str, key: &[&str], signature: &str) -> PathBuf {
    let folder = world.folder.path().join("forged").join(name);
    fs::create_dir_all(&folder).unwrap();
    let openssl = |arguments: &[&str]| {
        let output = Command::new("openssl").args(arguments).current_dir(&folder).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
    };
    let extensions =
        "subjectAltName=URI:spiffe://tipoff.test/partner/birdsite\nextendedKeyUsage=clientAuth\n";
    fs::write(folder.join("extensions"), extensions).unwrap();
    openssl(&[&["genpkey", "-out", "key.pem"], key].concat());
    openssl(&["req", "-new", "-key", "key.pem", "-subj", "/CN=birdsite", "-out", "request.pem"]);
    let ca = world.path("ca");
    let (certificate, ca_key) = (ca.join("ca.pem"), ca.join("ca-key.pem"));
    openssl(&[
        "x509",
        "-req",
        "-in",
        "request.pem",
        "-CA",
        certificate.to_str().unwrap(),
        "-CAkey",
        ca_key.to_str().unwrap(),
        "-set_serial",
        "77",
        "-days",
        "30",
        signature,
        "-extfile",
        "extensions",
        "-out",
        "cert.pem",
    ]);
    fs::copy(certificate, folder.join("ca.pem")).unwrap();
    folder
}
