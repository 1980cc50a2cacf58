//! The reports that stand on the page, each the record of one step.

use super::Records;
use crate::{accuracy, asic, html, power, ReportError};
use records::accuracy::AccuracyRecord;
use records::latency::LatencyRecord;
use records::{fpga, input, RecordError};

/// One report of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Report {
    Latency,
    Accuracy,
    Asic,
    Power,
    Xck26,
    Lfe5u85f,
    PlaceAndRoute,
}

impl Report {
    /// In the order of the page.
    pub const ALL: [Report; 7] = [
        Report::Latency,
        Report::Accuracy,
        Report::Asic,
        Report::Power,
        Report::Xck26,
        Report::Lfe5u85f,
        Report::PlaceAndRoute,
    ];

    /// What the step is called on the command line and in the page's record.
    pub fn name(self) -> &'static str {
        match self {
            Report::Latency => "latency",
            Report::Accuracy => "accuracy",
            Report::Asic => "asic",
            Report::Power => "power",
            Report::Xck26 => "xck26",
            Report::Lfe5u85f => "lfe5u-85f",
            Report::PlaceAndRoute => "place-and-route",
        }
    }

    /// The report with this [`Report::name`].
    pub fn named(name: &str) -> Option<Report> {
        Report::ALL.into_iter().find(|r| r.name() == name)
    }

    pub fn title(self) -> &'static str {
        match self {
            Report::Latency => "Cycles of a token",
            Report::Accuracy => "Accuracy of the integers",
            Report::Asic => "Area and timing in the cell library",
            Report::Power => "Power and energy",
            Report::Xck26 => "Estimate for a KV260",
            Report::Lfe5u85f => "Estimate for a ULX3S",
            Report::PlaceAndRoute => "Place and route for a ULX3S",
        }
    }

    /// The file of the step's record, beside the page.
    pub fn file(self) -> String {
        format!("{}.json", self.name())
    }

    /// The step's own page, beside the large one.
    pub fn page(self) -> String {
        format!("{}.html", if self.is_fpga() { "fpga" } else { self.name() })
    }

    /// Whether the step is about FPGAs.
    pub fn is_fpga(self) -> bool {
        matches!(self, Report::Xck26 | Report::Lfe5u85f | Report::PlaceAndRoute)
    }
}

impl Records {
    /// Reads the record of a step from its text.
    ///
    /// # Errors
    /// Text that is no record of this step.
    pub fn take_in(&mut self, report: Report, text: &str) -> Result<(), RecordError> {
        const ASIC: u32 = records::asic::SCHEMA_VERSION;
        let file = report.file();
        match report {
            Report::Latency => self.latency = Some(LatencyRecord::from_json(text, &file)?),
            Report::Accuracy => self.accuracy = Some(AccuracyRecord::from_json(text, &file)?),
            Report::Asic => self.asic = Some(input::parse(text, &file, ASIC)?),
            Report::Power => self.power = Some(input::parse(text, &file, ASIC)?),
            Report::PlaceAndRoute => self.build = Some(input::parse(text, &file, fpga::SCHEMA_VERSION)?),
            Report::Xck26 | Report::Lfe5u85f => {
                self.parts.push((report.name().into(), input::parse(text, &file, fpga::SCHEMA_VERSION)?));
            }
        }
        Ok(())
    }

    /// The own page of each step that has a record: file and text.
    ///
    /// # Errors
    /// A record that contradicts itself, or a picture that cannot be drawn.
    pub fn pages(&self) -> Result<Vec<(String, String)>, ReportError> {
        let mut pages = vec![];
        let mut add = |report: Report, text: String| pages.push((report.page(), text));
        if let Some(record) = &self.latency {
            add(Report::Latency, html::latency_page(record)?);
        }
        if let Some(record) = &self.accuracy {
            add(Report::Accuracy, accuracy::accuracy_page(record)?);
        }
        if let Some(record) = &self.asic {
            add(Report::Asic, asic::page(record)?);
        }
        if let Some(record) = &self.power {
            add(Report::Power, power::page(record)?);
        }
        if self.build.is_some() || !self.parts.is_empty() {
            let estimates: Vec<_> = self.parts.iter().map(|p| p.1.clone()).collect();
            add(Report::PlaceAndRoute, html::fpga::fpga_page(self.build.as_ref(), None, &estimates)?);
        }
        Ok(pages)
    }
}
