//! `tipoff feedback`

use clap::ValueEnum;
use prost::Message;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::audience::SharingFlags;
use super::failure::{Completion, Failure, Outcome};
use super::{Global, identity, output, request, words};
use crate::wire::pb;

/// Say what you think of somebody's assessment
#[derive(Debug, clap::Args)]
#[command(
    after_help = "It goes to the assessment's author, and to whom you share it with besides. Your \
                  newest word on a version counts. The same word with the same options is given once, \
                  however often the command is run."
)]
pub struct Feedback {
    /// The version that it is about, as subscribe and pull print it
    #[arg(value_name = "VERSION", value_parser = words::read_version)]
    about: pb::Version,
    /// How far you agree
    #[arg(long, value_name = "OPINION")]
    opinion: Opinion,
    /// Why, at most 2,000 characters
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// Give it as a new word, though the same was given before
    #[arg(long)]
    again: bool,
    #[command(flatten)]
    sharing: SharingFlags,
}

/// How far a partner agrees: the scale of an opinion in STIX 2.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Opinion {
    /// It is wrong, such as a false positive
    StronglyDisagree,
    /// It is probably wrong
    Disagree,
    /// Neither
    Neutral,
    /// It is probably right
    Agree,
    /// It is right, or was of use
    StronglyAgree,
}

impl Feedback {
    pub async fn run(&self, global: &Global) -> Outcome {
        let request = self.request();
        let client = identity::client(global)?;
        let given = client
            .give_feedback(request)
            .await
            .map_err(|error| if self.again { Failure::of_anew(error) } else { error.into() })?;
        let about = words::version(&self.about);
        if global.json {
            output::json(&json!({
                "about": about,
                "sequence": given.sequence,
                "accepted_at": words::time(given.accepted_at.as_ref()),
                "replayed": given.replayed,
            }))?;
            return Ok(Completion::Whole);
        }
        let before = if given.replayed {
            " (given before: this is the receipt of that time; --again gives it anew)"
        } else {
            ""
        };
        output::line(&format!(
            "feedback on {about} given, {}{before}",
            words::entries(&[given.sequence])
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
        let digest = Sha256::new_with_prefix(request.encode_to_vec());
        request.request_id = request::id(digest, self.again);
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
    fn the_same_word_is_the_same_request_and_another_is_another() {
        let id = |feedback: Feedback| feedback.request().request_id;
        let first = id(feedback(Opinion::Agree, ""));
        assert_eq!(id(feedback(Opinion::Agree, "")), first);
        assert_ne!(id(feedback(Opinion::Disagree, "")), first);
        assert_ne!(id(feedback(Opinion::Agree, "seen it too")), first);
        assert_ne!(id(Feedback { again: true, ..feedback(Opinion::Agree, "") }), first);
        assert_eq!(feedback(Opinion::Agree, "").request().sharing, None, "the author alone");
    }
}
