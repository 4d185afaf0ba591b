package main

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
)

// The words of the generated text, by what they do in a sentence.
var (
	subjects = strings.Split("the keeper of the lighthouse|an old map|the river|our neighbour's dog|a letter from Coimbra|the clockmaker|every ship|the youngest daughter|Frau Müller|a fox|the schoolmaster|the north wind|nobody|the whole village|a naïve traveller|the miller's boy", "|")
	verbs    = strings.Split("remembered|carried|could not find|had long forgotten|watched|followed|was kinder than|waited for|spoke of|drew|lost|would have given a shilling for|laughed at|kept|wasn't afraid of|painted", "|")
	objects  = strings.Split("the road to the sea|a basket of apples|the first snow|an unfinished song|the light above the harbour|three silver buttons|the Straße behind the church|what the rain had left|a chair by the window|the café on the corner|its own shadow|the bells|a door that didn't close|the garden|twelve candles|the winter", "|")
	endings  = strings.Split("before morning|in the year of the great flood|and said nothing|as if it were Sunday|without a coat|twice|because the tide was out|with both hands|in spite of everything|for the sake of the children|when the lamps were lit|long ago", "|")
)

func sentence(r random) string {
	s := pick(r, subjects) + " " + pick(r, verbs) + " " + pick(r, objects)
	if r.chance(700) {
		s += " " + pick(r, endings)
	}
	if r.chance(250) {
		s += "; " + pick(r, subjects) + " " + pick(r, verbs) + " " + pick(r, objects)
	}
	return strings.ToUpper(s[:1]) + s[1:] + pick(r, []string{".", ".", ".", "!", "?"})
}

// writeText writes a handful of books: chapters of paragraphs in lines of about 72 letters, two of them compressed.
func writeText(o options) error {
	titles := []string{"harbour.txt", "lamps.txt", "letters.txt.gz", "orchard.txt", "winter.txt.gz"}
	for i, title := range titles {
		r := newRandom(o.seed, 1<<32+uint64(i))
		var book bytes.Buffer
		for chapter := range 8 {
			fmt.Fprintf(&book, "CHAPTER %d\n\n", chapter+1)
			for range 14 {
				var words []string
				for range r.between(5, 11) {
					words = append(words, strings.Fields(sentence(r))...)
				}
				wrap(&book, words)
			}
		}
		data := book.Bytes()
		if strings.HasSuffix(title, ".gz") {
			packed, err := compress("gz", data, i)
			if err != nil {
				return err
			}
			data = packed
		}
		if err := write(filepath.Join(o.dir, "text", title), data); err != nil {
			return err
		}
	}
	return nil
}

func wrap(book *bytes.Buffer, words []string) {
	column := 0
	for _, w := range words {
		if column > 0 && column+1+len(w) > 72 {
			book.WriteByte('\n')
			column = 0
		}
		if column > 0 {
			book.WriteByte(' ')
			column++
		}
		book.WriteString(w)
		column += len(w)
	}
	book.WriteString("\n\n")
}
