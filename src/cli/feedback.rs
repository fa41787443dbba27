//! `tipoff feedback`

use clap::ValueEnum;
use serde_json::json;

use super::audience::SharingFlags;
use super::failure::{Completion, Failure, Outcome};
use super::{Global, identity, output, request, text};
use crate::wire::pb;

/// Give your opinion of an assessment
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The author of the assessment receives it, and everybody whom you share it with. Your \
                  newest opinion of a version counts. Running the same command again sends nothing \
                  twice."
)]
pub struct Feedback {
    /// Version of the assessment, as subscribe and pull print it
    #[arg(value_name = "VERSION", value_parser = text::read_version)]
    about: pb::Version,
    /// Your opinion
    #[arg(long, value_name = "OPINION")]
    opinion: Opinion,
    /// Reason, at most 2,000 characters
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// Send it again even if the same was sent before
    #[arg(long)]
    again: bool,
    #[command(flatten)]
    sharing: SharingFlags,
}

/// An opinion, on the scale of STIX 2.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Opinion {
    /// Wrong, such as a false positive
    StronglyDisagree,
    /// Probably wrong
    Disagree,
    /// Neutral
    Neutral,
    /// Probably right
    Agree,
    /// Right or useful
    StronglyAgree,
}

impl Feedback {
    pub async fn run(&self, global: &Global) -> Outcome {
        let request = self.request();
        let client = identity::client(global)?;
        let receipt = client
            .give_feedback(request)
            .await
            .map_err(|error| Failure::of_write(error, self.again))?;
        let about = text::version(&self.about);
        if global.json {
            output::json(&json!({
                "about": about,
                "sequence": receipt.sequence,
                "accepted_at": text::time(receipt.accepted_at.as_ref()),
                "replayed": receipt.replayed,
            }))?;
            return Ok(Completion::Whole);
        }
        let before = if receipt.replayed {
            " (already sent: this is the earlier receipt; --again sends it again)"
        } else {
            ""
        };
        output::line(&format!(
            "feedback on {about} sent, {}{before}",
            text::entries(&[receipt.sequence])
        ))?;
        Ok(Completion::Whole)
    }

    fn request(&self) -> pb::GiveFeedbackRequest {
        let mut request = pb::GiveFeedbackRequest {
            request_id: String::new(),
            version: Some(self.about),
            opinion: pb::Opinion::from(self.opinion).into(),
            note: self.note.clone().unwrap_or_default(),
            sharing: self.sharing.sharing(),
        };
        request.request_id = request::id_of(&request, self.again);
        request
    }
}

impl From<Opinion> for pb::Opinion {
    fn from(opinion: Opinion) -> Self {
        match opinion {
            Opinion::StronglyDisagree => pb::Opinion::StronglyDisagree,
            Opinion::Disagree => pb::Opinion::Disagree,
            Opinion::Neutral => pb::Opinion::Neutral,
            Opinion::Agree => pb::Opinion::Agree,
            Opinion::StronglyAgree => pb::Opinion::StronglyAgree,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feedback(opinion: Opinion, note: &str) -> Feedback {
        Feedback {
            about: pb::Version { sequence: 17, index: 0 },
            opinion,
            note: (!note.is_empty()).then(|| note.into()),
            sharing: SharingFlags::default(),
            again: false,
        }
    }

    #[test]
    fn the_same_feedback_has_the_same_request_id() {
        let id = |feedback: Feedback| feedback.request().request_id;
        let first = id(feedback(Opinion::Agree, ""));
        assert_eq!(id(feedback(Opinion::Agree, "")), first);
        assert_ne!(id(feedback(Opinion::Disagree, "")), first);
        assert_ne!(id(feedback(Opinion::Agree, "seen it too")), first);
        assert_ne!(id(Feedback { again: true, ..feedback(Opinion::Agree, "") }), first);
        assert_eq!(feedback(Opinion::Agree, "").request().sharing, None, "the author alone");
    }
}
