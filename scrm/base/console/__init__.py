"""What every console page is built of: pages without the right to change, filters, formats. No domain words."""
