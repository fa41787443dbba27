//! A snapshot on disk.
//!
//! A snapshot that breaks is requested again from its start. What was received so far is discarded then,
//! so nothing may be written to the output before the snapshot is complete. On disk, because memory
//! must not grow with it.
//!
//! The snapshot has objects that may not be exported too. The file has the mode 0600 and no name: the
//! system deletes it when the process ends, also if it is killed, and no run finds what another has left.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};
use std::path::Path;

use indicatif::ProgressBar;
use prost::Message;

use super::super::failure::Failure;
use crate::client::{Client, ClientError, FeedEvent, SnapshotPart};
use crate::domain::{CampaignId, Invalid, ReceivedAssessment, Tlp};
use crate::formats::private_file;
use crate::wire::{pb, received};

/// A complete snapshot.
#[derive(Debug)]
pub struct Spool {
    file: BufWriter<File>,
    /// The number of assessments.
    pub count: u64,
    /// The strictest marking of those that may be exported.
    pub strictest: Option<Tlp>,
    /// The campaigns that those name.
    pub campaigns: BTreeSet<CampaignId>,
    /// A liaison's campaign contributions.
    pub contributions: Vec<pb::VisibleContribution>,
    /// A liaison's enforcements.
    pub enforcements: Vec<pb::VisibleEnforcement>,
}

impl Spool {
    /// Receives a snapshot into a file in `folder`. `may_write` decides which assessments the export contains.
    pub async fn receive(
        client: &Client,
        filter: pb::Filter,
        folder: &Path,
        may_write: impl Fn(&ReceivedAssessment) -> bool,
        bar: &ProgressBar,
    ) -> Result<Self, Failure> {
        let cannot = |error: io::Error| {
            Failure::failed(format!("cannot store the snapshot in {}: {error}", folder.display()))
        };
        let mut spool = Self::create(folder).map_err(cannot)?;
        let snapshot = client.stream_snapshot(Some(filter), |part| {
            spool.add(part, &may_write)?;
            bar.set_position(spool.count);
            Ok(())
        });
        match snapshot.await {
            Ok(_) => Ok(spool),
            Err(SpoolError::Client(error)) => Err(error.into()),
            Err(SpoolError::Write(error)) => Err(cannot(error)),
            Err(SpoolError::Unreadable(invalid)) => Err(unreadable(&invalid)),
        }
    }

    fn create(folder: &Path) -> io::Result<Self> {
        Ok(Self {
            file: BufWriter::new(private_file(folder)?),
            count: 0,
            strictest: None,
            campaigns: BTreeSet::new(),
            contributions: Vec::new(),
            enforcements: Vec::new(),
        })
    }

    fn add(
        &mut self,
        part: SnapshotPart,
        may_write: &impl Fn(&ReceivedAssessment) -> bool,
    ) -> Result<(), SpoolError> {
        match part {
            SnapshotPart::Begin => self.clear()?,
            SnapshotPart::Items(items) => {
                for item in items {
                    self.add_item(&item, may_write)?;
                }
            }
            SnapshotPart::Events(events) => {
                for event in events {
                    match event {
                        FeedEvent::Campaign(event) => self.contributions.extend(event.contribution),
                        FeedEvent::Enforcement(event) => {
                            self.enforcements.extend(event.enforcement);
                        }
                        _ => {}
                    }
                }
            }
        }
        Ok(())
    }

    fn add_item(
        &mut self,
        item: &pb::FeedItem,
        may_write: &impl Fn(&ReceivedAssessment) -> bool,
    ) -> Result<(), SpoolError> {
        let received = received::read(item)?;
        if may_write(&received) {
            let strictest = self.strictest.map_or(received.tlp, |tlp| tlp.min(received.tlp));
            self.strictest = Some(strictest);
            self.campaigns.extend(received.assessment.campaign);
        }
        let bytes = item.encode_to_vec();
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        self.file.write_all(&length.to_be_bytes())?;
        self.file.write_all(&bytes)?;
        self.count += 1;
        Ok(())
    }

    fn clear(&mut self) -> io::Result<()> {
        self.file.rewind()?;
        self.file.get_mut().set_len(0)?;
        (self.count, self.strictest) = (0, None);
        self.campaigns.clear();
        self.contributions.clear();
        self.enforcements.clear();
        Ok(())
    }

    /// Reads the assessments, in the order in which they were received.
    pub fn read(
        &mut self,
        mut take: impl FnMut(&ReceivedAssessment) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let cannot =
            |error: io::Error| Failure::failed(format!("cannot read the stored snapshot: {error}"));
        self.file.flush().map_err(cannot)?;
        let mut file = self.file.get_ref();
        file.rewind().map_err(cannot)?;
        let mut file = BufReader::new(file);
        let mut bytes = Vec::new();
        for _ in 0..self.count {
            let mut length = [0; 4];
            file.read_exact(&mut length).map_err(cannot)?;
            bytes.resize(u32::from_be_bytes(length) as usize, 0);
            file.read_exact(&mut bytes).map_err(cannot)?;
            let item = pb::FeedItem::decode(bytes.as_slice())
                .map_err(|error| cannot(io::Error::other(error)))?;
            take(&received::read(&item).map_err(|invalid| unreadable(&invalid))?)?;
        }
        Ok(())
    }
}

/// Why a snapshot was not stored.
#[derive(Debug)]
enum SpoolError {
    Client(ClientError),
    Write(io::Error),
    Unreadable(Invalid),
}

impl From<ClientError> for SpoolError {
    fn from(error: ClientError) -> Self {
        SpoolError::Client(error)
    }
}

impl From<io::Error> for SpoolError {
    fn from(error: io::Error) -> Self {
        SpoolError::Write(error)
    }
}

impl From<Invalid> for SpoolError {
    fn from(invalid: Invalid) -> Self {
        SpoolError::Unreadable(invalid)
    }
}

/// An object of a newer exchange.
pub fn unreadable(invalid: &Invalid) -> Failure {
    Failure::failed(format!("the exchange sent an object that this client cannot read: {invalid}"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;
    use crate::formats::export::Rules;

    fn is_exported(received: &ReceivedAssessment) -> bool {
        Rules::default().refusal(received).is_none()
    }

    fn item(sequence: u64, tlp: pb::Tlp) -> pb::FeedItem {
        let indicator = pb::Indicator {
            id: "cecdacb7-2691-50f6-a78b-f95cf2cd7b49".into(),
            kind: pb::Kind::Domain.into(),
            value: "a.example".into(),
            ..Default::default()
        };
        pb::FeedItem {
            version: Some(pb::Version { sequence, index: 0 }),
            accepted_at: Some(prost_types::Timestamp::default()),
            indicator: Some(indicator),
            assessment: Some(pb::Assessment::default()),
            sharing: Some(pb::Sharing { tlp: tlp.into(), ..Default::default() }),
            ..Default::default()
        }
    }

    #[test]
    fn a_snapshot_that_begins_again_takes_the_place_of_what_came_before() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = Spool::create(folder.path()).unwrap();
        let contribution = pb::CampaignEvent {
            contribution: Some(pb::VisibleContribution::default()),
            ..Default::default()
        };
        let first =
            [item(1, pb::Tlp::Clear), item(2, pb::Tlp::AmberStrict), item(3, pb::Tlp::Amber)];
        let second = [item(7, pb::Tlp::Green), item(8, pb::Tlp::Red)];
        for part in [
            SnapshotPart::Begin,
            SnapshotPart::Items(first.into()),
            SnapshotPart::Events(vec![FeedEvent::Campaign(contribution.into())]),
            SnapshotPart::Begin,
            SnapshotPart::Items(second.into()),
        ] {
            spool.add(part, &is_exported).unwrap();
        }
        assert_eq!((spool.count, spool.contributions.len()), (2, 0));
        assert_eq!(spool.strictest, Some(Tlp::Green), "RED is not exported");
        let mut sequences = Vec::new();
        let take = |received: &ReceivedAssessment| {
            sequences.push(received.version.sequence);
            Ok(())
        };
        spool.read(take).unwrap();
        assert_eq!(sequences, [7, 8]);
        let unreadable = SnapshotPart::Items(vec![pb::FeedItem::default()]);
        assert!(matches!(spool.add(unreadable, &is_exported), Err(SpoolError::Unreadable(_))));
    }

    #[test]
    fn a_snapshot_on_disk_has_no_name_and_is_for_its_user_alone() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = Spool::create(folder.path()).unwrap();
        let red = SnapshotPart::Items(vec![item(8, pb::Tlp::Red)]);
        spool.add(red, &is_exported).unwrap();
        spool.file.flush().unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        let file = spool.file.get_ref().metadata().unwrap();
        assert!(file.len() > 0);
        assert_eq!((file.nlink(), file.mode() & 0o777), (0, 0o600));
    }
}
