index {
  source = dir: data # ERROR: Missing newline after argument
}
