"""What the page says of the search, in sentences."""

from tune_jobs.engine.results.analysis.analysis import SearchAnalysis


def learned_sentences(analysis: SearchAnalysis) -> list[str]:
    """Say what became of the architectures, which parameters mattered, what was spent at chance,
    and what more would bring."""
    told = analysis.describe()
    architectures = [told["architecture"]] if "architecture" in told else []
    return [
        *(f"Architectures: {text}." for text in architectures),
        f"Parameters that mattered most: {told['mattered']}.",
        f"Epochs at chance: {told['at chance']}.",
        f"Outlook: {told['outlook']}.",
    ]


def caption_sources(analysis: SearchAnalysis) -> str:
    """Say what the table of sources shows."""
    reference = analysis.reference
    told = (
        f"the reference, trial {reference.trial_number} ({reference.origin}), has "
        f"{reference.value:.4f} on validation, mean over its retraining seeds"
        if reference
        else "no published (or default) configuration was trained to its end"
    )
    return (
        "What became of the proposals of each source. First rung: epoch "
        f"{analysis.first_rung}, or before it for what diverged; {told}"
    )
