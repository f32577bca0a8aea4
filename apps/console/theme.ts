import { createTheme, type CSSVariablesResolver } from '@mantine/core';

export const theme = createTheme({
  primaryColor: 'blue',
  primaryShade: 8,
  autoContrast: true,
  defaultRadius: 'sm',
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif',
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, monospace',
  fontSizes: { xs: '0.75rem', sm: '0.8125rem', md: '0.875rem', lg: '1rem', xl: '1.125rem' },
  cursorType: 'pointer',
  respectReducedMotion: true,
});

/** What is said quietly has to be readable as well: 4.5 to 1 and more. */
export const variables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-body': '#fbfcfd',
    '--mantine-color-text': '#1b2430',
    '--mantine-color-dimmed': '#55606d',
    '--mantine-color-placeholder': '#66717e',
    '--mantine-color-anchor': '#1a5490',
    '--mantine-color-error': '#b3261e',
  },
  dark: {
    '--mantine-color-body': '#14181d',
    '--mantine-color-text': '#dde3ea',
    '--mantine-color-dimmed': '#9ba7b4',
    '--mantine-color-placeholder': '#8f9ba8',
    '--mantine-color-anchor': '#8ab8ea',
    '--mantine-color-error': '#ff9a92',
  },
});
