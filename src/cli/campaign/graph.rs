//! The graph of a campaign: which indicators were submitted, tipped or seen together.

use std::fmt::Write;

use clap::ValueEnum;
use serde_json::{Value, json};

use crate::cli::text;
use crate::wire::pb;

/// The output format of the graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Graphviz DOT
    Dot,
    /// JSON object of nodes and edges
    Json,
}

/// The graph as Graphviz DOT. Indicators are ellipses; submissions, tips and sightings that connect
/// them are boxes. Values are written in full, since no viewer turns labels into links.
pub fn dot(clusters: &pb::CampaignClusters) -> String {
    let mut text = String::from("graph campaign {\n");
    if clusters.cut {
        text += "  // Truncated: the campaign has more than this.\n";
    }
    for (at, indicator) in clusters.indicators.iter().enumerate() {
        let label = text::value(&indicator.platform, &indicator.value);
        let kind = text::kind(indicator.kind());
        let _ = writeln!(text, "  i{at} [label={}, tooltip={}];", quoted(&label), quoted(&kind));
    }
    for (at, bond) in clusters.bonds.iter().enumerate() {
        let label = format!("{} of {}", kind(bond.kind()), bond.author);
        let _ = writeln!(text, "  b{at} [shape=box, label={}];", quoted(&label));
        for indicator in &bond.indicators {
            let _ = writeln!(text, "  b{at} -- i{indicator};");
        }
    }
    text + "}\n"
}

/// The graph as a JSON object.
pub fn json(clusters: &pb::CampaignClusters) -> Value {
    let indicators = clusters.indicators.iter().enumerate().map(|(at, indicator)| {
        json!({
            "node": format!("i{at}"),
            "indicator_id": indicator.id,
            "kind": text::kind(indicator.kind()),
            "platform": indicator.platform,
            "value": indicator.value,
        })
    });
    let bonds = clusters.bonds.iter().enumerate().map(|(at, bond)| {
        json!({
            "node": format!("b{at}"),
            "bond": kind(bond.kind()),
            "author": bond.author,
            "at": text::time(bond.at.as_ref()),
        })
    });
    let edges = clusters.bonds.iter().enumerate().flat_map(|(at, bond)| {
        bond.indicators
            .iter()
            .map(move |indicator| json!([format!("b{at}"), format!("i{indicator}")]))
    });
    json!({
        "indicators": indicators.collect::<Vec<_>>(),
        "bonds": bonds.collect::<Vec<_>>(),
        "edges": edges.collect::<Vec<_>>(),
        "cut": clusters.cut,
    })
}

fn kind(kind: pb::BondKind) -> String {
    text::enum_name(kind.as_str_name(), "BOND_KIND_")
}

/// A DOT string literal: quotation marks and backslashes are escaped.
fn quoted(text: &str) -> String {
    let plain = text::one_line(text).replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{plain}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clusters() -> pb::CampaignClusters {
        let indicator = |value: &str| pb::Indicator {
            kind: pb::Kind::Url.into(),
            value: value.into(),
            ..Default::default()
        };
        let bond = pb::Bond {
            kind: pb::BondKind::Submission.into(),
            author: "birdsite".into(),
            at: None,
            indicators: vec![0, 1],
        };
        pb::CampaignClusters {
            indicators: vec![indicator("a.example"), indicator("b.example/\"x\\")],
            bonds: vec![bond],
            cut: true,
        }
    }

    #[test]
    fn a_graph_is_written_for_graphviz_whatever_the_values_hold() {
        assert_eq!(
            dot(&clusters()),
            "graph campaign {\n  // Truncated: the campaign has more than this.\n  \
             i0 [label=\"a.example\", tooltip=\"url\"];\n  \
             i1 [label=\"b.example/\\\"x\\\\\", tooltip=\"url\"];\n  \
             b0 [shape=box, label=\"submission of birdsite\"];\n  b0 -- i0;\n  b0 -- i1;\n}\n"
        );
    }

    #[test]
    fn a_graph_is_an_object_of_nodes_and_edges() {
        let graph = json(&clusters());
        assert_eq!(graph["edges"], json!([["b0", "i0"], ["b0", "i1"]]));
        assert_eq!(graph["bonds"][0]["bond"], "submission");
        assert_eq!((&graph["indicators"][1]["node"], &graph["cut"]), (&json!("i1"), &json!(true)));
    }
}
