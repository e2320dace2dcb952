// The page's policy refuses styles that a script writes into the page, and evaluated attributes are not ours.
htmx.config.includeIndicatorStyles = false;
htmx.config.allowEval = false;
