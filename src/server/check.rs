//! Checks what a configuration names, without starting or changing anything: `serve --check-config`.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nix::errno::Errno;
use nix::unistd::{AccessFlags, access};

use super::node::server_identity;
use super::settings::CheckedConfig;
use super::shared_journal;
use super::stores::{check_journal_exists, check_journal_folder};
use super::{ServeError, grpc};
use crate::clock::Clock;
use crate::config::{Config, Storage};
use crate::journal;

const MB: u64 = 1024 * 1024;

/// What a check found.
#[derive(Debug, Default)]
pub struct CheckReport {
    /// Why a start would be refused now.
    pub errors: Vec<ServeError>,
    /// What an operator may want to know.
    pub notes: Vec<String>,
}

impl CheckReport {
    /// Checks every value, the identity folder, the data folder and the addresses. Stops at a value that is invalid.
    ///
    /// A data folder that a running node holds is no error: a configuration is checked before a reload, too. Then the
    /// addresses may be that node's, so one that is in use is no error either.
    pub fn of(config: &Config, clock: &Arc<dyn Clock>) -> Self {
        let mut report = Self::default();
        let checked = match CheckedConfig::of(config) {
            Ok(checked) => checked,
            Err(error) => {
                report.errors.push(error.into());
                return report;
            }
        };
        report.take(server_identity(config, &checked).validate(clock).map_err(Into::into));
        let is_running = report.data(config);
        let server = &config.server;
        for (key, address) in [("server.grpc", server.grpc), ("server.ops", server.ops)] {
            report.address(key, address, is_running);
        }
        for id in &checked.suspended {
            if !checked.seed.partners.iter().any(|partner| partner.id == *id) {
                report.notes.push(format!(
                    "access.suspended: `{id}` is not a partner in this file. It is refused unless it is in the registry"
                ));
            }
        }
        report
    }

    fn take(&mut self, checked: Result<(), ServeError>) {
        self.errors.extend(checked.err());
    }

    /// Checks the data folder. Returns whether a running node holds it.
    fn data(&mut self, config: &Config) -> bool {
        let storage = &config.storage;
        let data = &storage.data;
        let named = data.display();
        let (existing, is_there) = match nearest(data) {
            Ok(found) => found,
            Err(source) => {
                self.errors.push(ServeError::Data { path: data.clone(), source });
                return false;
            }
        };
        let access_needed = AccessFlags::R_OK | AccessFlags::W_OK | AccessFlags::X_OK;
        if let Err(errno) = access(&existing, access_needed) {
            self.errors.push(ServeError::DataAccess { path: existing, source: errno.into() });
            return false;
        }
        if !is_there {
            self.notes.push(format!("storage.data: {named} does not exist: the start creates it"));
        }
        self.free_space(storage, &existing);
        let folder = data.join("journal");
        self.take(check_journal_exists(storage));
        self.take(check_journal_folder(config).map_err(Into::into));
        self.errors.extend(shared_journal::check_files(config).into_iter().map(Into::into));
        let is_running = journal::is_locked(&folder);
        if is_running {
            self.notes.push(format!("storage.data: a running node holds {named}"));
        }
        is_running
    }

    fn free_space(&mut self, storage: &Storage, folder: &Path) {
        let Ok(free) = journal::free_space(folder) else { return };
        let free_mb = free / MB;
        if free_mb < storage.min_free_mb {
            self.notes.push(format!(
                "storage.min_free_mb: {free_mb} MB are free on the disk of {}, fewer than {}: requests that write are refused",
                storage.data.display(),
                storage.min_free_mb
            ));
        }
    }

    /// Binds an address, and leaves it again.
    fn address(&mut self, key: &'static str, address: SocketAddr, is_running: bool) {
        match grpc::reserve(address) {
            Ok(_) => {}
            Err(error) if is_running && error.kind() == io::ErrorKind::AddrInUse => {
                self.notes.push(format!(
                    "{key}: {address} is in use, by the running node or another program"
                ));
            }
            Err(source) => self.errors.push(ServeError::Bind { key, address, source }),
        }
    }
}

/// The folder, or the nearest one above it that exists; and whether it is the folder itself.
fn nearest(folder: &Path) -> io::Result<(PathBuf, bool)> {
    let absolute = std::path::absolute(folder)?;
    for ancestor in absolute.ancestors() {
        match ancestor.metadata() {
            Ok(found) if found.is_dir() => {
                return Ok((ancestor.to_owned(), ancestor == absolute));
            }
            Ok(_) => return Err(Errno::ENOTDIR.into()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::NotFound.into())
}
